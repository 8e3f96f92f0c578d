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
    credentials: 'same-origin',
    // Whoever signs out and goes is signed out.
    keepalive: true,
  });
  const document = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Problem(document.code ?? 'unavailable', reply.status, document);
  return document;
}

/** @typedef {{ asks: string[], url: string }} Way  how people sign in: what is asked for, or where to go */

/** With what was typed in. @param {string} server @param {string} practice @param {Record<string, string>} params */
export function signIn(server, practice, params) {
  return post(`${server}/api/v1/sign-in`, { practice, params });
}

/** Whoever is signed in already, by a cookie of this server. @param {string} server @param {string} practice */
export function resume(server, practice) {
  return post(`${server}/api/v1/sign-in/grant`, { practice });
}

/** Where to sign out there too, or empty. @param {string} server @returns {Promise<string>} */
export async function signOut(server) {
  const answer = /** @type {any} */ (await post(`${server}/api/v1/sign-out`, {}).catch(() => ({ url: '' })));
  return answer.url;
}

/** @param {string} server @param {string} practice @returns {Promise<Way>} */
export async function wayIn(server, practice) {
  const reply = await fetch(`${server}/api/v1/practices/${encodeURIComponent(practice)}/sign-in`, { credentials: 'omit' });
  if (!reply.ok) throw new Problem('unavailable', reply.status, {});
  return reply.json();
}

/** Whether this page is one of that server's, so that its cookies count. @param {string} server */
export function isOwn(server) {
  return new URL(server).origin === location.origin;
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
    // A reload then asks to sign in again.
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
