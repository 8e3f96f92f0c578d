import assert from 'node:assert/strict';
import { test } from 'node:test';

import { meanOpinionScore, quantile, rate, worst } from '../../../src/vsdk/widgets/static/quality.js';

const FINE = { roundTrip: 40, jitter: 5, loss: 0, up: 3000, down: 3000 };

/** Round trip, jitter, loss, and the score that others publish for them. */
const PUBLISHED = [
  [40, 5, 0, 4.41],
  [100, 10, 0.5, 4.35],
  [200, 20, 1, 4.0],
  [250, 30, 2, 3.59],
  [300, 30, 3, 3.22],
  [400, 30, 5, 2.43],
  [400, 50, 8, 1.86],
];

for (const [roundTrip, jitter, loss, score] of PUBLISHED) {
  test(`speech at ${roundTrip} ms, ${jitter} ms, ${loss} % scores ${score}`, () => {
    assert.ok(Math.abs(meanOpinionScore(roundTrip, jitter, loss) - score) < 0.01);
  });
}

test('a score never leaves its scale', () => {
  assert.ok(meanOpinionScore(5000, 500, 100) >= 1);
});

/** The grade of one figure, where all the others are fine. */
function graded(name, value) {
  return rate({ ...FINE, [name]: value }).find((row) => row.name === name)?.grade;
}

for (const [name, good, fair, bad] of [
  ['roundTrip', 199, 200, 400],
  ['jitter', 29, 30, 50],
  ['loss', 0.9, 1, 5],
  ['up', 1000, 999, 299],
  ['down', 1000, 300, 299],
]) {
  test(`${name} is good, fair and bad at its thresholds`, () => {
    assert.deepEqual([graded(name, good), graded(name, fair), graded(name, bad)], ['good', 'fair', 'bad']);
  });
}

test('what was not measured has no row, and speech needs three figures', () => {
  const rows = rate({ ...FINE, loss: null, up: null });
  assert.deepEqual(rows.map(({ name }) => name), ['roundTrip', 'jitter', 'down']);
});

test('the worst row decides', () => {
  assert.equal(worst(rate({ ...FINE, jitter: 35 }).map(({ grade }) => grade)), 'fair');
  assert.equal(worst(rate({ ...FINE, loss: 6 }).map(({ grade }) => grade)), 'bad');
  assert.equal(worst([]), 'good');
});

test('median and 95th percentile', () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(quantile(values, 0.5), 50);
  assert.equal(quantile(values, 0.95), 95);
  assert.equal(quantile([], 0.5), null);
});
