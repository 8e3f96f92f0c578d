import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Sas, codeOf } from '../../../src/vsdk/widgets/static/sas.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const M = 'e'.repeat(64);
const VISIT = 'v-1';

/** Two sides whose messages go through `between`. */
async function run({ practiceSees = B, patientSees = A, between = (message) => [message] } = {}) {
  const queue = [];
  const side = (polite, own, theirs, to) =>
    new Sas({ polite, ends: { own, theirs }, visit: VISIT, send: (message) => queue.push([to, message]), onChange: () => {} });
  const sides = {};
  sides.practice = side(false, A, practiceSees, 'patient');
  sides.patient = side(true, B, patientSees, 'practice');
  await sides.practice.begin();
  for (let step = 0; queue.length && step < 20; step++) {
    const [to, message] = queue.shift();
    for (const passed of between(message, to)) await sides[to].receive(passed);
  }
  return sides;
}

test('both sides come to the same six digits and seven symbols', async () => {
  const { practice, patient } = await run();
  assert.deepEqual(practice.code, patient.code);
  assert.match(practice.code.digits, /^\d{6}$/);
  assert.equal(practice.code.symbols.length, 7);
  assert.ok(practice.code.symbols.every((symbol) => symbol >= 0 && symbol < 64));
});

test('another connection has another code', async () => {
  const codes = new Set();
  for (let time = 0; time < 20; time++) codes.add((await run()).practice.code.digits);
  assert.ok(codes.size >= 19);
});

test('the code depends on both random numbers, both certificates and the visit', async () => {
  const one = '1'.repeat(64);
  const two = '2'.repeat(64);
  const base = (await codeOf(one, two, { own: A, theirs: B }, VISIT)).digits;
  assert.equal((await codeOf(one, two, { own: B, theirs: A }, VISIT)).digits, base);
  for (const [first, second, ends, visit] of [
    [two, one, { own: A, theirs: B }, VISIT],
    [one, one, { own: A, theirs: B }, VISIT],
    [one, two, { own: A, theirs: M }, VISIT],
    [one, two, { own: A, theirs: B }, 'v-2'],
  ]) {
    assert.notEqual((await codeOf(first, second, ends, visit)).digits, base);
  }
});

test('who relays between two connections of their own is caught: the commitment is to other certificates', async () => {
  const { practice, patient } = await run({ practiceSees: M, patientSees: M });
  assert.ok(patient.broken);
  assert.equal(patient.code, null);
  assert.notEqual(practice.code?.digits, undefined);
});

test('who plays both sides gets different digits on the two screens', async () => {
  const screens = [];
  for (let time = 0; time < 20; time++) {
    const queue = [];
    const make = (polite, own, theirs, to) =>
      new Sas({ polite, ends: { own, theirs }, visit: VISIT, send: (message) => queue.push([to, message]), onChange: () => {} });
    const sides = {
      practice: make(false, A, M, 'towardsPractice'),
      towardsPractice: make(true, M, A, 'practice'),
      towardsPatient: make(false, M, B, 'patient'),
      patient: make(true, B, M, 'towardsPatient'),
    };
    await sides.practice.begin();
    await sides.towardsPatient.begin();
    while (queue.length) {
      const [to, message] = queue.shift();
      await sides[to].receive(message);
    }
    screens.push([sides.practice.code.digits, sides.patient.code.digits]);
  }
  assert.ok(screens.filter(([one, other]) => one !== other).length >= 19);
});

test('whoever reveals another number than they are bound to is caught', async () => {
  const other = 'c'.repeat(64);
  const { patient } = await run({ between: (message) => [message.t === 'sas-reveal' ? { ...message, nonce: other } : message] });
  assert.ok(patient.broken);
});

test('what is no number, or comes in another order or twice, breaks it off', async () => {
  for (const between of [
    (message) => [message.t === 'sas-nonce' ? { ...message, nonce: 'x' } : message],
    (message) => [message.t === 'sas-commit' ? { t: 'sas-reveal', nonce: A } : message],
    (message) => (message.t === 'sas-commit' ? [message, message] : [message]),
  ]) {
    const { practice, patient } = await run({ between });
    assert.ok(practice.broken || patient.broken);
  }
});
