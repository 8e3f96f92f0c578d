/**
 * What measured figures of a connection mean: one grade for each, and the worst of them for all.
 *
 * Thresholds as video services publish theirs (round trip, jitter, loss, bandwidth), and the mean opinion score of
 * speech that follows from them (ITU-T G.107 in the short form that is common in the field).
 *
 * @import { Grade } from './protocol.js'
 *
 * @typedef {object} Figures  null for what could not be measured
 * @property {number | null} roundTrip  milliseconds, median
 * @property {number | null} jitter  milliseconds, 95th percentile
 * @property {number | null} loss  percent of packets
 * @property {number | null} up  kb/s
 * @property {number | null} down  kb/s
 * @typedef {{ name: keyof Figures | 'mos', value: number, grade: Grade, code: string }} Row
 */

/** @type {Record<keyof Figures | 'mos', { good: number, fair: number, code: string }>} */
const LIMITS = {
  roundTrip: { good: 200, fair: 400, code: 'connection-slow' },
  jitter: { good: 30, fair: 50, code: 'connection-jitter' },
  loss: { good: 1, fair: 5, code: 'connection-loss' },
  up: { good: 1000, fair: 300, code: 'connection-thin' },
  down: { good: 1000, fair: 300, code: 'connection-thin' },
  mos: { good: 4, fair: 3.1, code: 'connection-speech' },
};

/** More of these is better; of the others, less. */
const MORE = new Set(['up', 'down', 'mos']);

/** Mean opinion score, 1 to 4.5. @param {number} roundTrip @param {number} jitter milliseconds @param {number} loss percent */
export function meanOpinionScore(roundTrip, jitter, loss) {
  const effective = roundTrip + 2 * jitter + 10;
  const delayed = effective < 160 ? 94.768 - effective / 40 : 94.768 - (effective - 120) / 10;
  const rating = Math.min(100, Math.max(0, delayed - 2.5 * loss));
  return 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating);
}

/** @param {keyof Figures | 'mos'} name @param {number} value @returns {Grade} */
function grade(name, value) {
  const { good, fair } = LIMITS[name];
  if (MORE.has(name)) return value >= good ? 'good' : value >= fair ? 'fair' : 'bad';
  return value < good ? 'good' : value < fair ? 'fair' : 'bad';
}

/** A row for each figure that is known. @param {Figures} figures @returns {Row[]} */
export function rate(figures) {
  const { roundTrip, jitter, loss } = figures;
  const speech = [roundTrip, jitter, loss].some((value) => value === null)
    ? null
    : meanOpinionScore(roundTrip ?? 0, jitter ?? 0, loss ?? 0);
  return /** @type {[keyof Figures | 'mos', number | null][]} */ (Object.entries({ ...figures, mos: speech })).flatMap(
    ([name, value]) => (value === null ? [] : [{ name, value, grade: grade(name, value), code: LIMITS[name].code }]),
  );
}

/** @param {Grade[]} grades @returns {Grade} */
export function worst(grades) {
  return grades.includes('bad') ? 'bad' : grades.includes('fair') ? 'fair' : 'good';
}

/** The value below which so much of them lies; null when there are none. @param {number[]} values @param {number} part */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? null;
}
