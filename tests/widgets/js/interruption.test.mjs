import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { CALM, Interruption, judge } from '../../../src/vsdk/widgets/static/interruption.js';

const FINE = { audio: 'live', video: 'live', taken: false, hidden: false, unplugged: false };
const NOTHING = { audio: false, video: false };

/** What follows from one observation after the other; `back` where the page is seen again just then. */
function after(...observed) {
  return observed.reduce((verdict, { back = false, ...now }) => judge(verdict, { ...FINE, ...now }, back), CALM);
}

test('D21: a phone call cuts sound and picture at once', () => {
  const { sending, interruption } = after({ audio: 'muted' });
  assert.deepEqual(sending, NOTHING);
  assert.deepEqual(interruption, { cause: 'os-mute', kinds: ['audio', 'video'] });
});

test('D21: also where only the audio session says so', () => {
  const { sending, interruption } = after({ taken: true });
  assert.deepEqual(sending, NOTHING);
  assert.equal(interruption.cause, 'audio-session');
});

test('D22: back on the page during the call, the picture returns and the sound does not', () => {
  const call = [{ audio: 'muted' }, { audio: 'muted', video: 'muted', hidden: true }];
  assert.deepEqual(after(...call).sending, NOTHING);
  const back = { audio: 'muted', back: true };
  assert.deepEqual(after(...call, back).sending, { audio: false, video: true });
  assert.deepEqual(after(...call, back, { audio: 'muted' }).interruption, { cause: 'os-mute', kinds: ['audio'] });
});

test('a page that is seen when the call begins is not a return', () => {
  assert.deepEqual(after({ audio: 'muted', back: true }).sending, NOTHING);
});

test('D23: when the call is over, all is as before', () => {
  const verdict = after({ audio: 'muted' }, { audio: 'muted', back: true }, {});
  assert.deepEqual(verdict, CALM);
});

test('a second call hides the picture again', () => {
  const verdict = after({ audio: 'muted' }, { audio: 'muted', back: true }, {}, { audio: 'muted' });
  assert.deepEqual(verdict.sending, NOTHING);
});

test('a page in another tab goes on', () => {
  assert.deepEqual(after({ hidden: true }), CALM);
});

test('a phone that hides the page takes the picture only', () => {
  const { sending, interruption } = after({ video: 'muted', hidden: true });
  assert.deepEqual(sending, { audio: true, video: false });
  assert.deepEqual(interruption, { cause: 'hidden', kinds: ['video'] });
});

test('a device that is pulled out, and one that just ends', () => {
  assert.deepEqual(after({ video: 'ended', unplugged: true }).interruption, { cause: 'device-lost', kinds: ['video'] });
  assert.deepEqual(after({ audio: 'ended' }).interruption, { cause: 'ended', kinds: ['audio'] });
  assert.deepEqual(after({ audio: 'ended' }).sending, { audio: false, video: true });
});

test('who has no camera has nothing to say about pictures', () => {
  assert.equal(after({ video: 'none' }).interruption, null);
});

// What goes on by the clock

class FakeTrack extends EventTarget {
  readyState = 'live';
  muted = false;
  constructor(kind) {
    super();
    this.kind = kind;
  }
  mute(muted) {
    this.muted = muted;
    this.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
  }
  getSettings() {
    return { deviceId: this.kind };
  }
}

/** Devices that give out what `gives` says, and count how often they are asked. */
class FakeMedia extends EventTarget {
  asked = [];
  gives = () => {};
  tracks = [new FakeTrack('audio'), new FakeTrack('video')];
  stream = { getTracks: () => this.tracks };
  async reopen(kind) {
    this.asked.push(kind);
    this.gives(kind);
  }
}

let media, interruption, told;

function watch() {
  media = new FakeMedia();
  interruption = new Interruption(media);
  told = [];
  interruption.addEventListener('change', () => {
    const kinds = interruption.told?.kinds.join('+') ?? '';
    if (told.at(-1) !== kinds) told.push(kinds);
  });
  interruption.watch();
}

function see(visible) {
  document.visibilityState = visible ? 'visible' : 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
}

const pass = async (milliseconds) => {
  mock.timers.tick(milliseconds);
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const mediaDevices = Object.assign(new EventTarget(), { enumerateDevices: async () => [] });
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices }, configurable: true });
});

afterEach(() => {
  interruption?.stop();
  interruption = null;
  mock.timers.reset();
});

test('a begin is told at once, an end when it has lasted a second', async () => {
  watch();
  const [audio] = media.tracks;
  audio.mute(true);
  assert.deepEqual(told, ['audio+video']);
  audio.mute(false);
  await pass(900);
  assert.deepEqual(told, ['audio+video']);
  await pass(100);
  assert.deepEqual(told, ['audio+video', '']);
});

test('a flurry of mutes is one interruption', async () => {
  watch();
  const [audio] = media.tracks;
  for (let i = 0; i < 5; i++) {
    audio.mute(true);
    await pass(300);
    audio.mute(false);
    await pass(300);
  }
  assert.deepEqual(told, ['audio+video']);
});

test('a microphone that a phone call has is not asked for before its owner is back', async () => {
  watch();
  media.tracks[0].mute(true);
  see(false);
  await pass(60_000);
  assert.deepEqual(media.asked, []);
  see(true);
  await pass(2900);
  assert.deepEqual(media.asked, []);
  await pass(100);
  assert.deepEqual(media.asked, ['audio']);
  assert.equal(interruption.stuck, false);
});

test('what does not come back by being taken anew is given up once, and tried again after the next return', async () => {
  watch();
  media.tracks[0].mute(true);
  see(false);
  see(true);
  await pass(3000);
  await pass(3000);
  assert.equal(interruption.stuck, true);
  await pass(60_000);
  assert.deepEqual(media.asked, ['audio']);
  see(false);
  see(true);
  await pass(3000);
  assert.deepEqual(media.asked, ['audio', 'audio']);
});

test('a camera that is given back by being taken anew is no matter for its owner', async () => {
  watch();
  const [, video] = media.tracks;
  media.gives = () => video.mute(false);
  video.mute(true);
  assert.deepEqual(told, ['video']);
  await pass(3000);
  assert.deepEqual(media.asked, ['video']);
  await pass(1000);
  assert.deepEqual(told, ['video', '']);
  assert.equal(interruption.stuck, false);
});

test('after the visit nothing is watched, told or taken', async () => {
  watch();
  media.tracks[1].mute(true);
  interruption.stop();
  for (const track of media.tracks) track.mute(true);
  see(false);
  see(true);
  await pass(60_000);
  assert.deepEqual(media.asked, []);
  assert.deepEqual(told, ['video']);
});
