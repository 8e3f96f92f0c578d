/**
 * The WebSocket to the server, kept open (docs/protocol.md, 'Disconnecting and coming back').
 *
 * @import { BrowserMessage, ServerMessage } from './protocol.js'
 *
 * @typedef {'connecting' | 'open' | 'down' | 'closed'} SignallingState
 *   `open`: the server has said welcome. `down`: lost, it will be tried again. `closed`: it will not.
 * @typedef {object} Options
 * @property {string} url  the WebSocket address
 * @property {() => string} grant  the access grant to begin with
 * @property {string} seat
 * @property {(message: ServerMessage) => void} onMessage
 * @property {(state: SignallingState, closeCode: number) => void} onState
 * @property {() => Promise<string>} renew  gets a new access grant; rejects when there is none to be had
 */

export const DELAYS = [0, 300, 1200, 2700, 4800, 7000];
export const NO_RETURN = new Set([1000, 4400, 4403, 4409]);
const PING_EVERY = 15_000;
const PONG_WITHIN = 5_000;
const WELCOME_WITHIN = 10_000;
const TOO_FAST_PAUSE = 5_000;
/** As long as the server holds a seat: afterwards nobody needs a goodbye. */
const GOODBYE_WITHIN = 60_000;
/** An ICE restart repairs these, and a chat sends again. */
const FLEETING = new Set(['offer', 'answer', 'ice', 'chat-key', 'chat']);

/** A seat: random, made once per page load. */
export function newSeat() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * How long to wait before the next attempt, in milliseconds.
 * @param {number} attempt  0 for the first one after a loss
 * @param {number} random  from 0 to 1
 */
export function delay(attempt, random) {
  return DELAYS[Math.min(attempt, DELAYS.length - 1)] * (0.5 + random);
}

export class Signalling {
  /** @type {Options} */ #options;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {SignallingState} */ #state = 'connecting';
  /** @type {BrowserMessage[]} */ #queue = [];
  #grant = '';
  #attempt = 0;
  #renewNext = false;
  #closing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #ping;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #pong;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#grant = options.grant();
    globalThis.addEventListener?.('online', this.#hurry);
    globalThis.document?.addEventListener('visibilitychange', this.#hurry);
    this.#connect();
  }

  get state() {
    return this.#state;
  }

  /**
   * Send now, or when the connection is back. What others repair is not kept.
   * @param {BrowserMessage} message
   */
  send(message) {
    if (this.#state === 'open') this.#socket?.send(JSON.stringify(message));
    else if (this.#state !== 'closed' && !FLEETING.has(message.type)) this.#queue.push(message);
  }

  /** The page has no more use for it. A goodbye that is still to be sent is sent first. */
  close() {
    if (this.#state !== 'open' && !this.#closing && this.#queue.some(({ type }) => type === 'bye')) {
      this.#closing = true;
      setTimeout(() => this.close(), GOODBYE_WITHIN);
      return;
    }
    const socket = this.#socket;
    this.#end(1000);
    socket?.close(1000);
  }

  #connect() {
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#options.url, 'vsdk.v1');
    this.#socket = socket;
    this.#expect(WELCOME_WITHIN);
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', grant: this.#grant, seat: this.#options.seat }));
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code);
    };
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    clearTimeout(this.#pong);
    this.#pong = undefined;
    if (message.type === 'grant') this.#grant = message.grant;
    if (message.type === 'welcome') this.#open();
    if (!this.#closing) this.#options.onMessage(message);
  }

  #open() {
    this.#attempt = 0;
    this.#set('open', 0);
    for (const message of this.#queue.splice(0)) this.send(message);
    if (this.#closing) return this.close();
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#check(), PING_EVERY);
  }

  /** Ask whether the server is still there. */
  #check() {
    this.send({ type: 'ping' });
    this.#expect(PONG_WITHIN);
  }

  /** Without a word from the server in so many milliseconds, the connection counts as lost. @param {number} within */
  #expect(within) {
    this.#pong ??= setTimeout(() => {
      this.#socket?.close();
      this.#lost(1006);
    }, within);
  }

  /** @param {number} code */
  #lost(code) {
    this.#drop();
    if (NO_RETURN.has(code)) return this.#end(code);
    this.#set('down', code);
    this.#renewNext = code === 4401;
    const wait = delay(this.#attempt++, Math.random());
    this.#retry = setTimeout(() => this.#again(), code === 4429 ? TOO_FAST_PAUSE : wait);
  }

  async #again() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#renewNext) {
      try {
        this.#grant = await this.#options.renew();
        this.#renewNext = false;
      } catch (problem) {
        // No network is no refusal: only an answer that says no ends it.
        if (problem instanceof TypeError) return this.#lost(4401);
        return this.#end(4401);
      }
    }
    if (this.#state === 'down') this.#connect();
  }

  /** The browser is online or visible again: no waiting. */
  #hurry = () => {
    if (globalThis.document?.visibilityState === 'hidden') return;
    if (this.#state === 'open') this.#check();
    else if (this.#state === 'down' && this.#retry !== undefined) {
      this.#attempt = 0;
      void this.#again();
    }
  };

  #drop() {
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    this.#pong = undefined;
    this.#socket = null;
  }

  /** @param {number} code */
  #end(code) {
    if (this.#state === 'closed') return;
    this.#drop();
    clearTimeout(this.#retry);
    this.#queue = [];
    globalThis.removeEventListener?.('online', this.#hurry);
    globalThis.document?.removeEventListener('visibilitychange', this.#hurry);
    this.#set('closed', code);
  }

  /** @param {SignallingState} state @param {number} code */
  #set(state, code) {
    if (this.#state === state) return;
    this.#state = state;
    if (!this.#closing) this.#options.onState(state, code);
  }
}
