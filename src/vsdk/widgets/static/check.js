/**
 * The device check: microphone, camera, connection; each good, fair or bad. Nothing here keeps anyone out.
 *
 * @import { Grade, CheckResult } from './protocol.js'
 * @import { Media } from './media.js'
 */

import { ping } from './api.js';

export const SUBJECTS = /** @type {(keyof CheckResult)[]} */ (['microphone', 'camera', 'connection']);

const HEARD = 0.02;
const LISTEN = 3000;
const LISTEN_ON = 30_000;
const SAMPLE_EVERY = 100;
const FRAMES_WITHIN = 3000;
const PINGS = 5;
const GOOD_BELOW = 200;
const FAIR_BELOW = 400;

/**
 * @param {number[]} roundTrips  milliseconds; empty when the server was not reached
 * @returns {Grade}
 */
export function gradeConnection(roundTrips) {
  const sorted = [...roundTrips].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined || median >= FAIR_BELOW) return 'bad';
  return median < GOOD_BELOW ? 'good' : 'fair';
}

/**
 * The worst of them.
 * @param {Partial<CheckResult>} result
 * @returns {Grade}
 */
export function worst(result) {
  const grades = Object.values(result);
  return grades.includes('bad') ? 'bad' : grades.includes('fair') ? 'fair' : 'good';
}

/**
 * Runs all three at once. `onGrade` is called as each is known, and again when a silent microphone is heard after
 * all.
 *
 * @param {object} subject
 * @param {Media} subject.media
 * @param {HTMLVideoElement} subject.video  shows the camera
 * @param {string} subject.server
 * @param {AbortSignal} subject.signal  ends it
 * @param {(name: keyof CheckResult, grade: Grade) => void} subject.onGrade
 * @returns {Promise<void>}  when all three have a grade
 */
export async function runCheck({ media, video, server, signal, onGrade }) {
  /** @param {keyof CheckResult} name @param {Promise<Grade>} grade */
  const report = async (name, grade) => {
    const known = await grade;
    if (!signal.aborted) onGrade(name, known);
  };
  await Promise.all([
    report('microphone', checkMicrophone(media, signal, () => onGrade('microphone', 'good'))),
    report('camera', checkCamera(media, video, signal)),
    report('connection', checkConnection(server, signal)),
  ]);
}

/**
 * @param {Media} media
 * @param {AbortSignal} signal
 * @param {() => void} onHeardLater
 * @returns {Promise<Grade>}
 */
async function checkMicrophone(media, signal, onHeardLater) {
  if (!media.tracks.audio) return 'bad';
  if (await heard(media, signal, LISTEN)) return 'good';
  void heard(media, signal, LISTEN_ON).then((later) => later && onHeardLater());
  return 'fair';
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
 * Do pictures come, one after the other?
 * @param {Media} media
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 * @returns {Promise<Grade>}
 */
async function checkCamera(media, video, signal) {
  if (!media.tracks.video) return 'bad';
  const begun = video.currentTime;
  for (let passed = 0; passed < FRAMES_WITHIN && !signal.aborted; passed += SAMPLE_EVERY) {
    if (video.videoWidth > 0 && video.currentTime > begun + 0.2) return 'good';
    await pause(SAMPLE_EVERY);
  }
  return 'bad';
}

/** @param {string} server @param {AbortSignal} signal @returns {Promise<Grade>} */
async function checkConnection(server, signal) {
  const roundTrips = [];
  for (let i = 0; i < PINGS && !signal.aborted; i++) {
    const taken = await Promise.race([ping(server), pause(2 * FAIR_BELOW).then(() => 2 * FAIR_BELOW)]).catch(() => null);
    if (taken === null) return 'bad';
    roundTrips.push(taken);
  }
  return gradeConnection(roundTrips);
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
