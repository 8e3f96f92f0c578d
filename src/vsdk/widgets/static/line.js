/**
 * How the line to one other person is: one word, from what was measured.
 *
 * @typedef {'connecting' | 'good' | 'unstable' | 'lost'} Quality
 */

/** milliseconds of silence */
export const UNSTABLE_AFTER = 2000;
export const RESTART_AFTER = 3000;
const LOST_AFTER = 5000;

/**
 * What to call the line, from what was measured.
 * @param {{ state: RTCPeerConnectionState, everConnected: boolean, silence: number, expected: boolean,
 *   frozen: number }} measured  `silence`: milliseconds without media packets; `expected`: the peer says that it sends
 *   any; `frozen`: milliseconds without packets of a picture that the peer says it sends
 * @returns {Quality}
 */
export function judge({ state, everConnected, silence, expected, frozen }) {
  if (!everConnected) return 'connecting';
  if (state === 'failed' || state === 'closed') return 'lost';
  if (state === 'disconnected') return silence >= RESTART_AFTER ? 'lost' : 'unstable';
  if (!expected || Math.max(silence, frozen) < UNSTABLE_AFTER) return 'good';
  return silence >= LOST_AFTER ? 'lost' : 'unstable';
}
