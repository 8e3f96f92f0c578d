/**
 * How the practice's list gets its access grants, and what it remembers over a reload of the page.
 *
 * @typedef {object} Access
 * @property {string} grant
 * @property {string} [signalling]  the WebSocket address
 * @property {{ id: string, name: string }} [practice]
 * @property {{ name: string, role: string }} [identity]
 */

import { Problem } from '../api.js';

/**
 * Rejects with a Problem when the server says no, with a TypeError when it cannot be reached.
 *
 * @param {string} url
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Access>}
 */
async function post(url, body, headers = {}) {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    credentials: 'omit',
  });
  const document = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Problem(document.code ?? 'unavailable', reply.status, document);
  return document;
}

/** @param {string} server @param {string} practice @param {string} code the access code that was typed in */
export function signIn(server, practice, code) {
  return post(`${server}/api/v1/sign-in`, { practice, params: { code } });
}

/** A grant for one visit. @param {string} server @param {string} visit @param {string} grant of the list */
export function visitGrant(server, visit, grant) {
  const authorization = `Bearer ${grant}`;
  return post(`${server}/api/v1/visits/${encodeURIComponent(visit)}/grant`, {}, { authorization });
}

/**
 * Kept in sessionStorage: for this tab only, and gone with it. Where a browser forbids it, nothing is remembered.
 *
 * @param {string} name
 * @param {string | null} value  null forgets it
 */
export function remember(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    // A reload then asks for the access code again.
  }
}

/** @param {string} name */
export function remembered(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}
