/**
 * Passkeys (W3C Web Authentication 3): signing in with one, and making one on this device.
 *
 * @import { Access } from './elements/practice-access.js'
 */

import { Problem } from './api.js';

/** Whether this browser can: older ones cannot read the options as JSON. */
export function canPasskey() {
  return typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;
}

/**
 * @param {string} server
 * @param {string} path
 * @param {unknown} body
 * @param {string} [grant]
 */
async function post(server, path, body, grant) {
  const reply = await fetch(`${server}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(grant && { authorization: `Bearer ${grant}` }) },
    body: JSON.stringify(body),
    credentials: 'omit',
  });
  const document = reply.status === 204 ? {} : await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Problem(document.code ?? 'unavailable', reply.status, document);
  return document;
}

/** What the device answers, for `params`; null when its owner does not want to. @param {string} server @param {string} practice @returns {Promise<{ passkey: string } | null>} */
export async function passkeyAnswer(server, practice) {
  const { options } = await post(server, 'sign-in/passkey', { practice });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey }).catch(() => null);
  return credential && { passkey: JSON.stringify(/** @type {PublicKeyCredential} */ (credential).toJSON()) };
}

/** Makes one on this device. False when its owner does not want to, or has one already. @param {string} server @param {string} grant */
export async function makePasskey(server, grant) {
  const { options } = await post(server, 'passkeys/options', {}, grant);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey }).catch(() => null);
  if (!credential) return false;
  await post(server, 'passkeys', { credential: JSON.stringify(/** @type {PublicKeyCredential} */ (credential).toJSON()) }, grant);
  return true;
}
