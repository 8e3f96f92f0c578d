import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SealedBoxes, decode, encode, newKeys } from '../../../src/vsdk/widgets/static/sealed-box.js';

const bytes = (text) => new TextEncoder().encode(text);
const text = (content) => content && new TextDecoder().decode(content);

async function both(visit = 'visit-1', otherVisit = visit) {
  const [a, b] = await Promise.all([newKeys(), newKeys()]);
  return [
    new SealedBoxes(a, visit, 'pat-1', { participant: 'doc-1', key: b.key }),
    new SealedBoxes(b, otherVisit, 'doc-1', { participant: 'pat-1', key: a.key }),
  ];
}

test('what one seals the other opens, in both directions, and no two boxes are alike', async () => {
  const [patient, doctor] = await both();
  const box = await patient.seal(bytes('grüezi 👋'));
  assert.match(box, /^[A-Za-z0-9_-]+$/);
  assert.equal(text(await doctor.open(box)), 'grüezi 👋');
  assert.equal(text(await patient.open(await doctor.seal(bytes('')))), '');
  assert.notEqual(await patient.seal(bytes('a')), await patient.seal(bytes('a')));
});

test('a public key is 65 bytes, and the private one cannot be taken out', async () => {
  const { keys, key } = await newKeys();
  assert.equal(key.length, 87);
  assert.equal(decode(key)[0], 4);
  await assert.rejects(crypto.subtle.exportKey('pkcs8', keys.privateKey));
});

test('nobody opens a box of others: not the sender again, not a third, not in another visit', async () => {
  const [patient, doctor] = await both();
  const box = await patient.seal(bytes('for the doctor'));
  assert.equal(await patient.open(box), null);
  const [, stranger] = await both();
  assert.equal(await stranger.open(box), null);
  const [sender, elsewhere] = await both('visit-1', 'visit-2');
  assert.equal(await elsewhere.open(await sender.seal(bytes('x'))), null);
  assert.equal(text(await doctor.open(box)), 'for the doctor');
});

test('a box in which any one byte is another is not opened', async () => {
  const [patient, doctor] = await both();
  const box = decode(await patient.seal(bytes('two tablets')));
  for (let at = 0; at < box.length; at += 1) {
    const changed = box.slice();
    changed[at] ^= 1;
    assert.equal(await doctor.open(encode(changed)), null, `byte ${at}`);
  }
});

test('a box whose commitment is that of another key is not opened, although its ciphertext would be', async () => {
  const [patient, doctor] = await both();
  const [one, other] = [decode(await patient.seal(bytes('a'))), decode(await patient.seal(bytes('b')))];
  const mixed = new Uint8Array([...one.slice(0, 32), ...other.slice(32, 64), ...one.slice(64)]);
  assert.equal(await doctor.open(encode(mixed)), null);
});

test('what is no box, and what is no key, is an answer and no accident', async () => {
  const [patient] = await both();
  for (const box of ['', 'abc', '***', encode(new Uint8Array(64)), encode(new Uint8Array(81))]) {
    assert.equal(await patient.open(box), null);
  }
  const odd = new SealedBoxes(await newKeys(), 'v', 'a', { participant: 'b', key: encode(new Uint8Array(65)) });
  assert.equal(await odd.open(encode(new Uint8Array(81))), null);
  await assert.rejects(odd.seal(bytes('x')));
});

test('45,000 bytes fit into a box that the server takes', async () => {
  const [patient, doctor] = await both();
  const content = crypto.getRandomValues(new Uint8Array(44_900));
  const box = await patient.seal(content);
  assert.ok(box.length <= 60_000, String(box.length));
  assert.deepEqual(await doctor.open(box), content);
});
