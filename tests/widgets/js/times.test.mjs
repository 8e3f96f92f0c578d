import assert from 'node:assert/strict';
import { test } from 'node:test';

import { elapsed } from '../../../src/vsdk/widgets/static/times.js';

test('how long something goes on is told in minutes and seconds, and in hours where it is long', () => {
  assert.equal(elapsed(0), '0:00');
  assert.equal(elapsed(-5_000), '0:00');
  assert.equal(elapsed(59_999), '0:59');
  assert.equal(elapsed(247_000), '4:07');
  assert.equal(elapsed(3_750_000), '1:02:30');
});
