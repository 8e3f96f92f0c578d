/**
 * The device check: microphone, camera, connection; each good, fair or bad, with the codes of what is wrong
 * (docs/device-check.md). Nothing here keeps anyone out.
 *
 * @import { Grade, CheckResult } from './protocol.js'
 * @import { Media } from './media.js'
 * @import { Path, Who } from './probe.js'
 * @import { Row } from './quality.js'
 *
 * @typedef {'microphone' | 'camera' | 'connection'} Subject
 * @typedef {{ grade: Grade, codes: string[], rows?: Row[], path?: Path }} Finding
 */

import { embeddingForbids } from './media-failure.js';
import { signallingAddress } from './api.js';

export const SUBJECTS = /** @type {Subject[]} */ (['microphone', 'camera', 'connection']);

const HEARD = 0.02;
const LISTEN = 3000;
const LISTEN_ON = 30_000;
const SAMPLE_EVERY = 100;
const FRAMES_WITHIN = 3000;
/** Of 255: a lens cover is darker, a dim room is not. */
const BLACK = 8;
const SOCKET_WITHIN = 3000;
const CONNECTION_WITHIN = 11_500;
/** It works, but not as it should. A spare way that is blocked, while the first is open, is no such thing. */
const DETOURS = /^(turn-credentials|turn-udp-blocked|probe-.*)$/;

/**
 * The worst of them; the loudspeaker does not count.
 * @param {Pick<CheckResult, Subject>} result
 * @returns {Grade}
 */
export function worst(result) {
  const grades = SUBJECTS.map((name) => result[name]);
  return grades.includes('bad') ? 'bad' : grades.includes('fair') ? 'fair' : 'good';
}

/**
 * Runs all at once. `onFinding` is called as each is known, and again when a silent microphone is heard after all.
 *
 * @param {object} subject
 * @param {Media} subject.media
 * @param {HTMLVideoElement} subject.video  shows the camera
 * @param {string} subject.server
 * @param {Who | null} subject.who  whose connection is measured; without it, only the way to the server
 * @param {boolean} subject.short  the second time: devices, and whether the server is there
 * @param {AbortSignal} subject.signal  ends it
 * @param {(name: Subject, finding: Finding) => void} subject.onFinding
 * @returns {Promise<void>}  when all three are known
 */
export async function runCheck({ media, video, server, who, short, signal, onFinding }) {
  /** @param {Subject} name @param {Promise<Finding>} finding */
  const report = async (name, finding) => {
    const known = await finding;
    if (!signal.aborted) onFinding(name, known);
  };
  const heardLater = () => onFinding('microphone', { grade: 'good', codes: [] });
  await Promise.all([
    report('microphone', checkMicrophone(media, signal, heardLater)),
    report('camera', checkCamera(media, video, signal)),
    report('connection', checkConnection(server, short ? null : who, signal)),
  ]);
}

/** What is missing altogether. @param {'microphone' | 'camera'} device @returns {Finding} */
function missing(device) {
  return { grade: 'bad', codes: [embeddingForbids(device) ? 'embedding-forbids' : `${device}-none`] };
}

/**
 * @param {Media} media
 * @param {AbortSignal} signal
 * @param {() => void} onHeardLater
 * @returns {Promise<Finding>}
 */
async function checkMicrophone(media, signal, onHeardLater) {
  if (!media.tracks.audio) return missing('microphone');
  if (await heard(media, signal, LISTEN)) return { grade: 'good', codes: [] };
  void heard(media, signal, LISTEN_ON).then((later) => later && onHeardLater());
  return { grade: 'fair', codes: ['microphone-silent'] };
}

/** @param {Media} media @param {AbortSignal} signal @param {number} milliseconds */
async function heard(media, signal, milliseconds) {
  for (let passed = 0; passed < milliseconds && !signal.aborted; passed += SAMPLE_EVERY) {
    if (media.level() > HEARD) return true;
    await pause(SAMPLE_EVERY);
  }
  return false;
}

/**
 * Do pictures come, one after the other, and is there anything on them?
 * @param {Media} media
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 * @returns {Promise<Finding>}
 */
async function checkCamera(media, video, signal) {
  if (!media.tracks.video) return missing('camera');
  const begun = video.currentTime;
  let moved = false;
  for (let passed = 0; passed < FRAMES_WITHIN && !signal.aborted; passed += SAMPLE_EVERY) {
    moved = video.videoWidth > 0 && video.currentTime > begun + 0.2;
    if (moved && brightness(video) > BLACK) return { grade: 'good', codes: [] };
    await pause(SAMPLE_EVERY);
  }
  return moved ? { grade: 'fair', codes: ['camera-black'] } : { grade: 'bad', codes: ['camera-frozen'] };
}

/** Of the brightest part of the picture, 0 to 255. @param {HTMLVideoElement} video */
function brightness(video) {
  const canvas = Object.assign(document.createElement('canvas'), { width: 16, height: 12 });
  const pen = canvas.getContext('2d');
  if (!pen) return 255;
  pen.drawImage(video, 0, 0, 16, 12);
  const { data } = pen.getImageData(0, 0, 16, 12);
  return Math.max(...data.filter((_, i) => i % 4 !== 3));
}

/** @param {string} server @param {Who | null} who @param {AbortSignal} signal @returns {Promise<Finding>} */
async function checkConnection(server, who, signal) {
  const limit = new AbortController();
  const end = () => limit.abort();
  const timer = setTimeout(end, CONNECTION_WITHIN);
  signal.addEventListener('abort', end);
  try {
    const [{ measure }, { rate, worst: worstOf }] = await Promise.all([import('./probe.js'), import('./quality.js')]);
    const [measured, signalling] = await Promise.all([
      measure(server, who, limit.signal),
      signallingOpens(signallingAddress(server)),
    ]);
    const rows = rate(measured.figures);
    const codes = [...measured.codes, ...rows.filter(({ grade }) => grade !== 'good').map(({ code }) => code)];
    if (!signalling) codes.push('signalling-unreachable');
    const dead = ['server-unreachable', 'turn-unreachable', 'signalling-unreachable'].some((code) => codes.includes(code));
    const grades = rows.map(({ grade }) => grade);
    if (codes.some((code) => DETOURS.test(code))) grades.push('fair');
    return { grade: dead ? 'bad' : worstOf(grades), codes: [...new Set(codes)], rows, path: measured.path };
  } catch {
    return { grade: 'bad', codes: ['server-unreachable'] };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** Whether the waiting room can be reached: a WebSocket that opens. @param {string} url @returns {Promise<boolean>} */
function signallingOpens(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, 'vsdk.v1');
    const done = (/** @type {boolean} */ open) => {
      clearTimeout(timer);
      resolve(open);
      socket.close(1000);
    };
    const timer = setTimeout(() => done(false), SOCKET_WITHIN);
    socket.onopen = () => done(true);
    socket.onerror = () => done(false);
  });
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
