/**
 * A reloaded page goes back to where it was, without asking for Start again. Only a hash of the join link's handle
 * is kept, in this tab. Storage may be forbidden (in frames): then the page starts at Start.
 */

/** @param {string} handle */
async function keyOf(handle) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(handle));
  return `vsdk-joined-${Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** @param {string} handle @param {boolean} joined */
export async function remember(handle, joined) {
  try {
    const key = await keyOf(handle);
    if (joined) sessionStorage.setItem(key, '1');
    else sessionStorage.removeItem(key);
  } catch {
    // forbidden: nothing to remember
  }
}

/** @param {string} handle */
export async function wasJoined(handle) {
  try {
    return sessionStorage.getItem(await keyOf(handle)) === '1';
  } catch {
    return false;
  }
}
