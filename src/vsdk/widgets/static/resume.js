/**
 * A reloaded page goes back to where it was, without asking for Start again. Only a hash of the join link's handle
 * and what is switched on are kept, in this tab. Storage may be forbidden (in frames): then the page starts at Start.
 *
 * @import { Wanted } from './media.js'
 */

const CHECKED = 'vsdk-checked';

/** @param {string} handle */
async function keyOf(handle) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(handle));
  return `vsdk-joined-${Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Whoever is in the visit, and what they have switched on; or nothing any more. @param {string} handle @param {Wanted | null} joined */
export async function remember(handle, joined) {
  try {
    const key = await keyOf(handle);
    if (joined) sessionStorage.setItem(key, JSON.stringify(joined));
    else sessionStorage.removeItem(key);
  } catch {
    // forbidden: nothing to remember
  }
}

/** Whether camera, microphone and connection were checked in this tab before. */
export function wasChecked() {
  try {
    return sessionStorage.getItem(CHECKED) === '1';
  } catch {
    return false;
  }
}

export function rememberCheck() {
  try {
    sessionStorage.setItem(CHECKED, '1');
  } catch {
    // forbidden: then all is checked again
  }
}

/** What was switched on when this page was left in the visit; null when it was not in it. @param {string} handle */
export async function joinedBefore(handle) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(await keyOf(handle)) ?? 'null');
    return kept && /** @type {Wanted} */ ({ camera: kept.camera !== false, microphone: kept.microphone !== false });
  } catch {
    return null;
  }
}

/** Since when a visit goes on, as this tab knows it: milliseconds since 1970. @param {string} visit */
export function goingOnSince(visit) {
  const key = `vsdk-began-${visit}`;
  const now = Date.now();
  try {
    const kept = Number(sessionStorage.getItem(key));
    if (kept > 0 && kept <= now) return kept;
    sessionStorage.setItem(key, String(now));
  } catch {
    // forbidden: it counts from here
  }
  return now;
}
