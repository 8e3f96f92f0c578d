import assert from 'node:assert/strict';
import { test } from 'node:test';

import { worst } from '../../../src/vsdk/widgets/static/check.js';
import { judge } from '../../../src/vsdk/widgets/static/line.js';
import { reasonOf } from '../../../src/vsdk/widgets/static/media-failure.js';
import { inTime } from '../../../src/vsdk/widgets/static/times.js';

globalThis.MediaStream = class {};
const { sdpSession } = await import('../../../src/vsdk/widgets/static/peer.js');

const line = { state: 'connected', everConnected: true, silence: 0, expected: true, frozen: 0 };

test('two seconds without media are unstable, five are lost', () => {
  assert.equal(judge(line), 'good');
  assert.equal(judge({ ...line, silence: 1999 }), 'good');
  assert.equal(judge({ ...line, silence: 2000 }), 'unstable');
  assert.equal(judge({ ...line, silence: 5000 }), 'lost');
});

test('silence of a peer who sends nothing on purpose is no trouble', () => {
  assert.equal(judge({ ...line, silence: 60_000, expected: false }), 'good');
});

test('sound without the picture that should come is unstable, and never lost', () => {
  assert.equal(judge({ ...line, frozen: 1999 }), 'good');
  assert.equal(judge({ ...line, frozen: 60_000 }), 'unstable');
});

test('disconnected alone is not lost: some browsers say so while media flows', () => {
  assert.equal(judge({ ...line, state: 'disconnected' }), 'unstable');
  assert.equal(judge({ ...line, state: 'disconnected', silence: 3000 }), 'lost');
});

test('failed is lost at once, and what never stood is still connecting', () => {
  assert.equal(judge({ ...line, state: 'failed' }), 'lost');
  assert.equal(judge({ ...line, state: 'failed', everConnected: false }), 'connecting');
});

test('the session of an SDP is the second field of its o-line', () => {
  assert.equal(sdpSession('v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\n'), '4611');
  assert.equal(sdpSession('v=0\r\n'), '');
});

test('the worst grade decides', () => {
  assert.equal(worst({ camera: 'good', microphone: 'fair', connection: 'good' }), 'fair');
  assert.equal(worst({ camera: 'bad', microphone: 'fair', connection: 'good' }), 'bad');
  assert.equal(worst({ camera: 'good', microphone: 'good', connection: 'good', speaker: 'bad' }), 'good');
});

test('each browser error has its reason', () => {
  const of = (name, message = '') => reasonOf(Object.assign(new Error(message), { name }));
  assert.equal(of('NotAllowedError', 'Permission denied'), 'refused');
  assert.equal(of('NotAllowedError', 'Permission dismissed'), 'dismissed');
  assert.equal(of('NotFoundError'), 'no-device');
  assert.equal(of('NotReadableError'), 'busy');
  assert.equal(of('TypeError'), 'unsupported');
});

test('waiting times are rounded up and never zero', () => {
  assert.equal(inTime(1, 'en'), 'in 1 minute');
  assert.equal(inTime(11.2 * 60_000, 'en'), 'in 12 minutes');
  assert.equal(inTime(3 * 3_600_000, 'en'), 'in 3 hours');
  assert.equal(inTime(50 * 3_600_000, 'en'), 'in 2 days');
});
