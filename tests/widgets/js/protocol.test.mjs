import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { START, rebuild, receive, refused } from '../../../src/vsdk/widgets/static/protocol.js';

const conformance = JSON.parse(readFileSync(new URL('../../conformance/signalling.json', import.meta.url), 'utf8'));
const peer = { participant: 'p', seat: 's', role: 'patient', name: '', polite: false };
const inVisit = receive(START, { type: 'admitted', peers: [peer], ice_servers: [] }).state;

for (const { name, steps } of conformance.sequences) {
  test(name, () => {
    let state = START;
    for (const [index, { receive: message, phase, actions }] of steps.entries()) {
      const before = structuredClone(state);
      const step = receive(state, message);
      assert.deepEqual(state, before, `step ${index} changed the old state`);
      assert.equal(step.state.phase, phase, `phase after step ${index}`);
      assert.deepEqual(step.actions, actions, `actions of step ${index}`);
      state = step.state;
    }
  });
}

test('every message that a server may send is taken', () => {
  for (const message of conformance.valid.server) {
    assert.ok(receive(inVisit, message).state.phase, message.type);
  }
});

test('a rebuild is the next epoch of the same peer', () => {
  const { state, actions } = rebuild(inVisit, 'p');
  assert.equal(state.peers.p.epoch, 2);
  assert.deepEqual(actions, [
    { do: 'drop', participant: 'p' },
    { do: 'connect', participant: 'p', polite: false, epoch: 2 },
  ]);
});

test('the polite side never rebuilds by itself', () => {
  const polite = receive(START, { type: 'admitted', peers: [{ ...peer, polite: true }], ice_servers: [] }).state;
  assert.deepEqual(rebuild(polite, 'p'), { state: polite, actions: [] });
  assert.deepEqual(rebuild(polite, 'nobody').actions, []);
});

test('a refusal drops all connections and keeps its code', () => {
  const { state, actions } = refused(inVisit, 'visit-closed');
  assert.equal(state.phase, 'refused');
  assert.equal(state.refusal, 'visit-closed');
  assert.deepEqual(actions, [{ do: 'drop', participant: 'p' }]);
});

test('what is over stays over', () => {
  const over = receive(inVisit, { type: 'ended', by: 'patient', come_back_until: null }).state;
  assert.equal(refused(over, 'visit-closed').state, over);
});

test('the own visit is found among the entries', () => {
  const welcome = conformance.valid.server[0];
  const queue = conformance.valid.server.find((m) => m.type === 'queue' && m.entries.length > 1);
  const { state } = receive(receive(START, welcome).state, queue);
  assert.equal(state.entry.visit, welcome.visit.id);
});
