/**
 * What a chat needs to survive a reload, in this browser only: the keys of a visit, and its messages. It is erased when
 * the visit is over; what a browser that was closed meanwhile has left, when the next visit begins.
 *
 * Where IndexedDB is forbidden (some frames, some private windows), the chat lives as long as the page.
 *
 * @import { Message } from './chat.js'
 * @import { Keys } from './sealed-box.js'
 */

import { newKeys } from './sealed-box.js';

const NAME = 'vsdk-chat';
const TABLES = /** @type {const} */ (['visits', 'messages']);
/** A visit that was not seen to end is forgotten after a day, as its join link is. */
const KEEP = 24 * 3_600_000;

/** @typedef {{ owner: string, since: number, keys: Keys }} Visit */

export class ChatStore {
  #owner;
  /** @type {IDBDatabase | null} */ #database = null;

  /** @param {string} visit @param {string} participant  oneself */
  constructor(visit, participant) {
    this.#owner = `${visit} ${participant}`;
  }

  /** The keys and messages of this visit: as they were, or new. @returns {Promise<{ keys: Keys, messages: Message[] }>} */
  async open() {
    this.#database = await openDatabase().catch(() => null);
    try {
      await this.#forget((visit) => Date.now() - visit.since > KEEP);
      const known = /** @type {Visit | undefined} */ (await this.#ask('visits', 'readonly', (table) => table.get(this.#owner)));
      const keys = known?.keys ?? (await newKeys());
      if (!known) await this.#ask('visits', 'readwrite', (table) => table.put({ owner: this.#owner, since: Date.now(), keys }));
      const range = IDBKeyRange.bound([this.#owner], [this.#owner, []]);
      const kept = /** @type {{ message: Message }[]} */ (await this.#ask('messages', 'readonly', (table) => table.getAll(range)) ?? []);
      return { keys, messages: kept.map(({ message }) => message).sort((a, b) => a.at - b.at) };
    } catch {
      this.#database = null;
      return { keys: await newKeys(), messages: [] };
    }
  }

  /** Keep it, or what has become of it. @param {Message} message */
  async keep(message) {
    const { delivered, ...lasting } = message;
    const row = { owner: this.#owner, id: message.id, message: { ...lasting, delivered: { ...delivered } } };
    await this.#ask('messages', 'readwrite', (table) => table.put(row)).catch(() => {});
  }

  /** The visit is over: nothing of it stays. */
  async erase() {
    await this.#forget((visit) => visit.owner === this.#owner).catch(() => {});
    this.#database?.close();
    this.#database = null;
  }

  /** @param {(visit: Visit) => boolean} which */
  async #forget(which) {
    const visits = /** @type {Visit[]} */ ((await this.#ask('visits', 'readonly', (table) => table.getAll())) ?? []);
    for (const { owner } of visits.filter(which)) {
      await this.#ask('messages', 'readwrite', (table) => table.delete(IDBKeyRange.bound([owner], [owner, []])));
      await this.#ask('visits', 'readwrite', (table) => table.delete(owner));
    }
  }

  /**
   * One request, when it is written; undefined where there is no database.
   * @param {typeof TABLES[number]} table
   * @param {IDBTransactionMode} mode
   * @param {(table: IDBObjectStore) => IDBRequest} ask
   */
  async #ask(table, mode, ask) {
    if (!this.#database) return undefined;
    const transaction = this.#database.transaction(table, mode);
    const request = ask(transaction.objectStore(table));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(undefined);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    return request.result;
  }
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('visits', { keyPath: 'owner' });
      request.result.createObjectStore('messages', { keyPath: ['owner', 'id'] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onblocked = request.onerror = () => reject(request.error ?? new Error('blocked'));
  });
}
