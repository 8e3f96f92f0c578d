/**
 * The chat of a visit: text and files, sealed for each of the others (`sealed-box.js`), kept in this browser until the
 * visit is over (`chat-store.js`). What is written while nobody is there is sent to whoever comes first.
 *
 * @import { Header } from './chat-delivery.js'
 * @import { BrowserMessage, ChatPeer, ServerMessage } from './protocol.js'
 * @import { Keys } from './sealed-box.js'
 *
 * @typedef {'sending' | 'got' | 'read'} Delivered
 * @typedef {{ name: string, type: string, size: number, blob: Blob }} ChatFile
 * @typedef {object} Message
 * @property {string} id
 * @property {string} from  participant
 * @property {string} name  of the sender
 * @property {string} role
 * @property {number} at  milliseconds since 1970, by this browser's clock
 * @property {string} [text]
 * @property {ChatFile} [file]
 * @property {Record<string, Delivered>} delivered  of one's own messages: how far, by participant
 * @property {boolean} read  of the others' messages: whether it was seen here
 */

import { Delivery, pack, unpack } from './chat-delivery.js';
import { ChatStore } from './chat-store.js';
import { SealedBoxes } from './sealed-box.js';

export const FILE_LIMIT = 10_000_000;
export const TEXT_LIMIT = 4000;
const PARTS_LIMIT = 300;
/** Files that one person may send at the same time. */
const FILES_AT_ONCE = 3;
const NAME_LIMIT = 120;
/** Characters that go out in a millisecond, so that the server refuses nothing; small boxes need not wait. */
const PACE = 400;
const SMALL = 8000;

/** @typedef {ChatPeer & { boxes: SealedBoxes }} Reached */

export class Chat extends EventTarget {
  /** @type {Message[]} oldest first */
  messages = [];
  /** @type {Map<string, Reached>} to whom one can write now */
  peers = new Map();
  #you;
  #visit;
  #send;
  #store;
  /** @type {Keys | null} */ #keys = null;
  /** @type {Map<string, Delivery>} by message and participant */ #deliveries = new Map();
  /** @type {Map<string, { parts: Map<number, Uint8Array<ArrayBuffer>>, from: string }>} by message */ #arriving = new Map();
  /** @type {Promise<void>} boxes are opened in the order in which they come */ #opening = Promise.resolve();
  #over = false;
  #free = 0;
  #ready;

  /**
   * @param {string} visit
   * @param {{ participant: string, name: string, role: string }} you
   * @param {(message: BrowserMessage) => void} send  what is sent while signalling is away may get lost
   * @param {ChatStore} [store]
   */
  constructor(visit, you, send, store = new ChatStore(visit, you.participant)) {
    super();
    this.#visit = visit;
    this.#you = you;
    this.#send = send;
    this.#store = store;
    this.#ready = store.open().then(({ keys, messages }) => {
      this.#keys = keys;
      this.messages = [...messages, ...this.messages];
    });
  }

  /** One's own public key; empty until it is there. */
  get key() {
    return this.#keys?.key ?? '';
  }

  /** How many messages of others were not seen yet. */
  get unread() {
    return this.messages.filter((message) => !this.own(message) && !message.read).length;
  }

  /** @param {Message} message */
  own({ from }) {
    return from === this.#you.participant;
  }

  /** How much of a file is there, 0 to 1, at the slowest of those who get it. @param {Message} message */
  progress(message) {
    const underway = [...this.#deliveries].filter(([name]) => name.startsWith(`${message.id} `));
    return Math.min(1, ...underway.map(([, delivery]) => delivery.progress));
  }

  /** The server has said welcome, at first or again: it knows no keys then. */
  async announce() {
    await this.#ready;
    if (this.#over) return;
    this.#send({ type: 'chat-key', key: this.key });
    this.#changed();
  }

  /** @param {Extract<ServerMessage, { type: 'chat-peers' | 'chat' }>} message */
  receive(message) {
    const take = async () => {
      await this.#ready;
      if (this.#over) return;
      if (message.type === 'chat-peers') this.#meet(message.peers);
      else await this.#open(message.from, message.box);
    };
    // What one box does wrong is no reason to open no other.
    this.#opening = this.#opening.then(take).catch(() => {});
  }

  /** @param {string} text */
  say(text) {
    const words = text.trim().slice(0, TEXT_LIMIT);
    if (words) this.#write({ text: words });
  }

  /** @param {File} file @returns {'' | 'empty' | 'too-large'} why it is not sent */
  offer(file) {
    if (file.size === 0) return 'empty';
    if (file.size > FILE_LIMIT) return 'too-large';
    this.#write({ file: { name: nameOf(file.name), type: file.type, size: file.size, blob: file } });
    return '';
  }

  /** All that is there was seen. */
  seen() {
    const news = this.messages.filter((message) => !this.own(message) && !message.read);
    if (news.length === 0) return;
    for (const message of news) {
      message.read = true;
      void this.#store.keep(message);
    }
    for (const peer of this.peers.values()) this.#confirmRead(peer);
    this.#changed();
  }

  /** The page has no more use for it; what was written stays for the next one. */
  close() {
    this.#over = true;
    for (const delivery of this.#deliveries.values()) delivery.stop();
    this.#deliveries.clear();
  }

  /** The visit is over: nothing of it stays in this browser. */
  async end() {
    if (this.#over) return;
    this.close();
    this.messages = [];
    this.peers.clear();
    await this.#ready;
    await this.#store.erase();
    this.#changed();
  }

  /** @param {ChatPeer[]} peers */
  #meet(peers) {
    const before = this.peers;
    const keys = /** @type {Keys} */ (this.#keys);
    this.peers = new Map(
      peers.map((peer) => {
        const known = before.get(peer.participant);
        const boxes = known?.key === peer.key ? known.boxes : new SealedBoxes(keys, this.#visit, this.#you.participant, peer);
        return [peer.participant, { ...peer, boxes }];
      }),
    );
    for (const peer of this.peers.values()) if (!before.has(peer.participant)) this.#confirmRead(peer);
    for (const message of this.messages) this.#deliver(message);
    this.#changed();
  }

  /** @param {Pick<Message, 'text' | 'file'>} content */
  #write(content) {
    const { participant: from, name, role } = this.#you;
    /** @type {Message} */
    const message = { id: crypto.randomUUID(), from, name, role, at: Date.now(), ...content, delivered: {}, read: true };
    this.messages.push(message);
    this.#deliver(message);
    void this.#store.keep(message);
    this.#changed();
  }

  /** One's own message goes to those who were there when it was written, or who came first. @param {Message} message */
  #deliver(message) {
    if (!this.own(message) || this.#over) return;
    if (Object.keys(message.delivered).length === 0) {
      for (const participant of this.peers.keys()) message.delivered[participant] = 'sending';
    }
    for (const [participant, state] of Object.entries(message.delivered)) {
      const name = `${message.id} ${participant}`;
      const there = this.peers.has(participant);
      if (state !== 'sending' || !there) this.#deliveries.get(name)?.stop();
      if (state !== 'sending' || !there) this.#deliveries.delete(name);
      else if (!this.#deliveries.has(name)) {
        const delivery = new Delivery(message, (packed) => void this.#seal(participant, packed));
        this.#deliveries.set(name, delivery);
        delivery.pump();
      }
    }
  }

  /** @param {string} participant @param {Uint8Array<ArrayBuffer>} packed */
  async #seal(participant, packed) {
    const box = await this.peers.get(participant)?.boxes.seal(packed).catch(() => null);
    if (!box) return;
    if (box.length > SMALL) await this.#turn(box.length);
    if (!this.#over) this.#send({ type: 'chat', to: participant, box });
  }

  /** Until so much more may go out. @param {number} characters */
  #turn(characters) {
    const now = performance.now();
    const at = Math.max(now, this.#free);
    this.#free = at + characters / PACE;
    return new Promise((resolve) => setTimeout(resolve, at - now));
  }

  /** @param {string} participant @param {Header} header */
  #tell(participant, header) {
    void this.#seal(participant, pack(header));
  }

  /** @param {Reached} peer */
  #confirmRead({ participant }) {
    const ids = this.messages.filter(({ from, read }) => from === participant && read).map(({ id }) => id);
    if (ids.length) this.#tell(participant, { k: 'read', ids });
  }

  /** @param {string} from @param {string} box */
  async #open(from, box) {
    const peer = this.peers.get(from);
    const content = await peer?.boxes.open(box);
    const opened = content ? unpack(content) : null;
    if (!peer || !opened) return;
    const { header, body } = opened;
    if (header.k === 'text') this.#arrived(peer, header.id, 0, { text: String(header.text).slice(0, TEXT_LIMIT) });
    else if (header.k === 'file') this.#part(peer, header, body);
    else if (header.k === 'got') this.#got(from, header);
    else if (header.k === 'read' && Array.isArray(header.ids)) for (const id of header.ids) this.#mark(id, from, 'read');
  }

  /** A part of a file; the whole, when it is the last that was missing. @param {Reached} peer @param {Extract<Header, { k: 'file' }>} header @param {Uint8Array<ArrayBuffer>} body */
  #part(peer, { id, name, type, size, part, parts }, body) {
    if (this.#has(peer.participant, id)) return this.#tell(peer.participant, { k: 'got', id, part, whole: true });
    if (!(size <= FILE_LIMIT && parts <= PARTS_LIMIT && part >= 0 && part < parts)) return;
    const underway = [...this.#arriving.values()].filter(({ from }) => from === peer.participant);
    const arriving = this.#arriving.get(id) ?? { parts: new Map(), from: peer.participant };
    if (arriving.from !== peer.participant) return;
    if (!this.#arriving.has(id) && underway.length >= FILES_AT_ONCE) return;
    this.#arriving.set(id, arriving);
    arriving.parts.set(part, body);
    if (arriving.parts.size < parts) return this.#tell(peer.participant, { k: 'got', id, part, whole: false });
    const blob = new Blob(Array.from({ length: parts }, (_, at) => arriving.parts.get(at) ?? new Uint8Array()));
    this.#arriving.delete(id);
    if (blob.size !== size) return;
    this.#arrived(peer, id, part, { file: { name: nameOf(String(name)), type: String(type).slice(0, NAME_LIMIT), size, blob } });
  }

  /** @param {Reached} peer @param {string} id @param {number} part @param {Pick<Message, 'text' | 'file'>} content */
  #arrived({ participant, name, role }, id, part, content) {
    if (!this.#has(participant, id)) {
      /** @type {Message} */
      const message = { id, from: participant, name, role, at: Date.now(), ...content, delivered: {}, read: false };
      this.messages.push(message);
      void this.#store.keep(message);
      this.dispatchEvent(new CustomEvent('arrived', { detail: message }));
      this.#changed();
    }
    this.#tell(participant, { k: 'got', id, part, whole: true });
  }

  /** @param {string} from @param {string} id */
  #has(from, id) {
    return this.messages.some((message) => message.id === id && message.from === from);
  }

  /** @param {string} from @param {Extract<Header, { k: 'got' }>} header */
  #got(from, { id, part, whole }) {
    if (whole) return this.#mark(id, from, 'got');
    this.#deliveries.get(`${id} ${from}`)?.got(part);
    this.#changed();
  }

  /** @param {string} id @param {string} from @param {Delivered} delivered */
  #mark(id, from, delivered) {
    const message = this.messages.find((one) => one.id === id && this.own(one));
    if (!message?.delivered[from] || message.delivered[from] === 'read') return;
    message.delivered[from] = delivered;
    this.#deliver(message);
    void this.#store.keep(message);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** A file's name, without folders and without what turns the reading direction. @param {string} name */
function nameOf(name) {
  const plain = name.replace(/[\p{Cc}\p{Cf}]/gu, '').replace(/^.*[/\\]/, '').trim();
  return plain.slice(-NAME_LIMIT) || 'file';
}
