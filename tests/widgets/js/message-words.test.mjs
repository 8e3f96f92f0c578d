import assert from 'node:assert/strict';
import { test } from 'node:test';

import { advice, channelName, delays, look, progress, reason, what, when } from '../../../src/vsdk/widgets/static/message-words.js';

/** A catalogue of these keys; every other key comes back as it is. */
const texts = (...keys) => (key, values = {}) => (keys.includes(key) ? `<${key}${JSON.stringify(values)}>` : key);

test('what has no words of its own is named', () => {
  const t = texts('practice.template-delay', 'practice.template-other', 'practice.channel-other');
  assert.equal(what('delay', t), '<practice.template-delay{}>');
  assert.equal(what('of-a-plugin', t), '<practice.template-other{"template":"of-a-plugin"}>');
  assert.equal(channelName('fax', t), '<practice.channel-other{"channel":"fax"}>');
  assert.equal(channelName('', t), '');
});

test('a reason that is not known keeps its code, and has advice all the same', () => {
  const t = texts('practice.reason-other', 'practice.reason-number', 'practice.advice-other', 'practice.advice-number');
  assert.equal(reason('number-invalid', t), '<practice.reason-number{}>');
  assert.equal(reason('new-code', t), 'practice.reason-other'.replace(/^/, '<') + '{}>');
  assert.equal(advice('number-invalid', t), '<practice.advice-number{}>');
  assert.equal(advice('constructor', t), '<practice.advice-other{}>');
});

test('whatever a write-back failed of, it is about the practice system', () => {
  const t = texts('practice.reason-pms', 'practice.advice-pms');
  assert.equal(reason('timeout', t, 'write-back'), '<practice.reason-pms{}>');
  assert.equal(advice('timeout', t, 'write-back'), '<practice.advice-pms{}>');
});

test('a state that is not known looks and reads like one on its way', () => {
  assert.deepEqual(look('new-state'), look('queued'));
  assert.equal(progress('new-state', texts('practice.sent-queued')), '<practice.sent-queued{}>');
  assert.equal(look('failed').grade, 'bad');
});

test('a time of another day has its day, in the zone of the practice', () => {
  const now = Date.parse('2026-03-02T22:30:00Z');
  assert.equal(when('2026-03-02T22:15:00Z', now, 'de', 'Europe/Berlin'), '23:15');
  assert.match(when('2026-03-02T23:15:00Z', now, 'de', 'Europe/Berlin'), /3\. März.*00:15/);
  assert.equal(when('2026-03-02T23:15:00Z', now, 'en', 'Europe/Lisbon'), '23:15');
});

test('delays that lie in the past are not offered', () => {
  const start = '2026-03-02T12:00:00Z';
  assert.deepEqual(delays(start, Date.parse('2026-03-02T09:00:00Z')), [5, 10, 15, 20, 30, 45]);
  assert.deepEqual(delays(start, Date.parse('2026-03-02T12:15:00Z')), [20, 30, 45, 60, 75, 90]);
  assert.deepEqual(delays(start, Date.parse('2026-03-02T14:40:00Z')), [165, 180]);
  assert.deepEqual(delays(start, Date.parse('2026-03-03T14:40:00Z')), []);
});
