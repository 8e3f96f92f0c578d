/**
 * The calls about messages, for the pages of a practice.
 *
 * @typedef {object} Message  one message of a visit, as docs/embedding.md describes it
 * @property {string} id
 * @property {string} template
 * @property {string} participant
 * @property {string} role
 * @property {string} channel
 * @property {string} recipient  masked
 * @property {string} state
 * @property {string} code
 * @property {string} created  RFC 3339
 * @property {string} updated
 * @property {number} segments
 * @property {number} attempts
 *
 * @typedef {object} GivenUp  a message or a write-back that was given up
 * @property {string} id
 * @property {'message' | 'write-back'} kind
 * @property {string | null} template
 * @property {string} name
 * @property {string | null} role
 * @property {string | null} start  RFC 3339
 * @property {boolean} over
 * @property {string} recipient  masked
 * @property {string} channel
 * @property {string} code
 * @property {string} since
 * @property {number} attempts
 */

import { Problem } from './api.js';

export class MessagesApi {
  #server;
  #grant;

  /** @param {string} server @param {() => string} grant  the newest access grant for the list */
  constructor(server, grant) {
    this.#server = `${server}/api/v1`;
    this.#grant = grant;
  }

  /** @param {string} visit @returns {Promise<Message[]>} oldest first, as from the calls below */
  async of(visit) {
    return (await this.#call('GET', `/visits/${encodeURIComponent(visit)}/messages`)).messages;
  }

  /** @param {string} visit @param {string} template @returns {Promise<Message[]>} */
  async send(visit, template) {
    return (await this.#call('POST', `/visits/${encodeURIComponent(visit)}/messages`, { template })).messages;
  }

  /** @param {string} message its id @returns {Promise<Message[]>} */
  async again(message) {
    return (await this.#call('POST', `/messages/${encodeURIComponent(message)}/again`, {})).messages;
  }

  /** @param {string} visit @param {number} minutes */
  async delay(visit, minutes) {
    await this.#call('POST', `/visits/${encodeURIComponent(visit)}/delay`, { minutes });
  }

  /** @returns {Promise<GivenUp[]>} */
  async givenUp() {
    return (await this.#call('GET', '/outbox')).entries;
  }

  /** @param {'retry' | 'drop'} what @param {string} id */
  async decide(what, id) {
    await this.#call('POST', `/outbox/${encodeURIComponent(id)}/${what}`, {});
  }

  /**
   * Rejects with a Problem when the server says no, with a TypeError when it cannot be reached.
   * @param {'GET' | 'POST'} method @param {string} path @param {Record<string, unknown>} [body]
   */
  async #call(method, path, body) {
    const reply = await fetch(this.#server + path, {
      method,
      headers: { authorization: `Bearer ${this.#grant()}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
    });
    const document = await reply.json().catch(() => ({}));
    if (!reply.ok) throw new Problem(document.code ?? 'unavailable', reply.status, document);
    return document;
  }
}
