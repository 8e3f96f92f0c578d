import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chart, readable } from '../../../src/vsdk/widgets/static/report-page.js';
import { measure, shortened } from '../../../src/vsdk/widgets/static/report.js';

const reading = (seconds, sent, received, packets, lost) => [
  { type: 'transport', timestamp: seconds * 1000, bytesSent: sent, bytesReceived: received },
  { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.042 },
  { type: 'inbound-rtp', kind: 'audio', packetsReceived: packets, packetsLost: lost, jitter: 0.0071 },
  { type: 'inbound-rtp', kind: 'video', packetsReceived: 0, packetsLost: 0, frameWidth: 640, frameHeight: 480, framesPerSecond: 20 },
];

test('addresses are shortened to the network', () => {
  assert.equal(shortened('192.168.178.23'), '192.168.x.x');
  assert.equal(shortened('2001:db8:85a3::8a2e:370:7334'), '2001:db8::');
  assert.equal(shortened('fd00::a1'), 'fd00::');
  assert.equal(shortened('::1'), '::');
  assert.equal(shortened('0f1c2d3e-1111.local'), 'hidden by the browser');
  assert.equal(shortened(undefined), '');
});

test('two readings make rates, and the loss between them', () => {
  const first = measure(reading(10, 0, 0, 100, 5), null, 1);
  assert.equal(first.sample, null);
  const { sample } = measure(reading(15, 625_000, 1_250_000, 190, 15), first.reading, 6);
  assert.deepEqual(sample, { at: 6, roundTrip: 42, jitter: 7, loss: 10, up: 1000, down: 2000, width: 640, height: 480, frames: 20 });
});

test('a connection that was built anew counts from nothing, never below', () => {
  const first = measure(reading(10, 9_000_000, 9_000_000, 5000, 50), null, 1);
  const { sample } = measure(reading(15, 100, 100, 10, 0), first.reading, 6);
  assert.equal(sample.up, 0);
  assert.equal(sample.down, 0);
  assert.equal(sample.loss, null);
});

test('what is not known leaves a gap in a chart', () => {
  const at = (second, loss) => ({ at: second, loss });
  const { svg, least, most } = chart([at(0, 1), at(5, 2), at(10, null), at(15, 4)], 'loss');
  assert.equal(svg.match(/<polyline/g).length, 2);
  assert.deepEqual([least, most], [1, 4]);
  assert.equal(chart([at(0, null)], 'loss'), null);
});

test('a readable report is text, whatever a browser calls itself', () => {
  const data = { made: '', code: 'abc', browser: { agent: '<script>x</script>' }, devices: {}, permissions: {}, checks: {}, lines: [], events: [] };
  const html = readable(data, (key) => key, 'de');
  assert.ok(!html.includes('<script'));
  assert.ok(html.includes('&#60;script&#62;'));
});
