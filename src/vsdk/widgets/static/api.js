/**
 * The few HTTP calls of a visit's page.
 *
 * @typedef {object} Preview  what a join link is for, before anyone has joined
 * @property {{ name: string, phone: string }} practice
 * @property {string} practitioner
 * @property {string} start  RFC 3339, as the other times
 * @property {string} end
 * @property {string} opens
 * @property {string} closes
 * @property {string} time_zone  IANA name
 * @property {string} language  BCP 47
 * @property {string} role
 * @property {string} [push_key]  what to subscribe with to Web Push
 * @property {string | null} problem  why it does not open now, an error code
 * @typedef {{ grant: string, expires: string, signalling: string }} Joined
 */

/** The server understood and said no; `code` is one of docs/errors.md. */
export class Problem extends Error {
  /** @param {string} code @param {number} status @param {Record<string, unknown>} document */
  constructor(code, status, document) {
    super(code);
    this.code = code;
    this.status = status;
    this.document = document;
  }
}

/**
 * @param {string} server
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @returns {Promise<Response>}  rejects with `Problem`, or TypeError when there is no way to the server
 */
async function ask(server, path, body) {
  const reply = await fetch(server + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    credentials: 'omit',
  });
  if (reply.ok) return reply;
  const document = await reply.json().catch(() => ({}));
  throw new Problem(document.code ?? 'unavailable', reply.status, document);
}

/**
 * @template T
 * @param {[server: string, path: string, body: Record<string, unknown>]} question
 * @returns {Promise<T>}  rejects as `ask`
 */
const post = async (...question) => (await ask(...question)).json();

/** @param {string} server @param {string} handle @returns {Promise<Preview>} */
export const preview = (server, handle) => post(server, '/api/v1/join/preview', { handle });

/** @param {string} server @param {string} handle @returns {Promise<Joined>} */
export const join = (server, handle) => post(server, '/api/v1/join', { handle });

/** @param {Promise<Response>} reply */
const fileOf = async (reply) => (await reply).blob();

/** The join link as a QR code, an SVG picture. @param {string} server @param {string} handle */
export const joinCode = (server, handle) => fileOf(ask(server, '/api/v1/join/code', { handle }));

/** The appointment as iCalendar. @param {string} server @param {string} handle @param {string} language */
export const joinCalendar = (server, handle, language) => fileOf(ask(server, '/api/v1/join/calendar', { handle, language }));

/**
 * What a connection check may use.
 * @param {string} server
 * @param {Record<string, string>} who  `handle` or `grant`
 * @returns {Promise<{ ice_servers: RTCIceServer[], echo: boolean }>}
 */
export const probe = (server, who) => post(server, '/api/v1/probe', who);

/** The answer to the offer of a connection check. @param {string} server @param {Record<string, string>} who @param {string} sdp */
export const probeEcho = async (server, who, sdp) => (await post(server, '/api/v1/probe/echo', { ...who, sdp })).sdp;

/**
 * Milliseconds there and back.
 * @param {string} server
 */
export async function ping(server) {
  const begun = performance.now();
  const reply = await fetch(`${server}/api/v1/ping`, { cache: 'no-store', credentials: 'omit' });
  if (!reply.ok) throw new Problem('unavailable', reply.status, {});
  await reply.arrayBuffer();
  return performance.now() - begun;
}

/** The signalling address of a server, for pages that were given a grant only. @param {string} server */
export function signallingAddress(server) {
  return `${server.replace(/^http/, 'ws')}/signal`;
}
