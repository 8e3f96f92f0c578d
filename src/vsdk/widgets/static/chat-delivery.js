/**
 * One message on its way to one other page: in parts that fit into a box, a few at a time, again until they are confirmed.
 *
 * What is inside a box: the length of a header (4 bytes, big-endian), the header (JSON), bytes of a file.
 *
 * @typedef {{ k: 'text', id: string, text: string }} TextHeader
 * @typedef {{ k: 'file', id: string, name: string, type: string, size: number, part: number, parts: number }} FileHeader
 * @typedef {{ k: 'got', id: string, part: number, whole: boolean }} GotHeader
 * @typedef {{ k: 'read', ids: string[] }} ReadHeader
 * @typedef {TextHeader | FileHeader | GotHeader | ReadHeader} Header
 */

/** Bytes of a file in one box; with what is around them, at most 60,000 characters. */
const PART = 44_000;
/** So many parts may be on their way. */
const WINDOW = 4;
/** What is not confirmed by then is sent again. */
const CONFIRM_WITHIN = 5000;

/** @param {Header} header @param {Uint8Array} [body] */
export function pack(header, body = new Uint8Array()) {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const packed = new Uint8Array(4 + head.length + body.length);
  new DataView(packed.buffer).setUint32(0, head.length);
  packed.set(head, 4);
  packed.set(body, 4 + head.length);
  return packed;
}

/** Null for what makes no sense. @param {Uint8Array<ArrayBuffer>} packed @returns {{ header: Header, body: Uint8Array<ArrayBuffer> } | null} */
export function unpack(packed) {
  try {
    const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
    const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(packed.slice(4, 4 + length)));
    return header !== null && typeof header === 'object' ? { header, body: packed.slice(4 + length) } : null;
  } catch {
    return null;
  }
}

export class Delivery {
  #parts;
  #send;
  /** @type {Set<number>} */ #confirmed = new Set();
  /** @type {Set<number>} */ #underway = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #again;

  /**
   * @param {{ id: string, text?: string, file?: { name: string, type: string, size: number, blob: Blob } }} message
   * @param {(packed: Uint8Array<ArrayBuffer>) => void} send
   */
  constructor({ id, text, file }, send) {
    this.#send = send;
    const parts = file ? Math.max(1, Math.ceil(file.size / PART)) : 1;
    this.#parts = Array.from({ length: parts }, (_, part) => async () => {
      if (!file) return pack({ k: 'text', id, text: text ?? '' });
      const { name, type, size, blob } = file;
      const body = new Uint8Array(await blob.slice(part * PART, (part + 1) * PART).arrayBuffer());
      return pack({ k: 'file', id, name, type, size, part, parts }, body);
    });
  }

  /** 0 to 1 */
  get progress() {
    return this.#confirmed.size / this.#parts.length;
  }

  /** Send what may be sent now. */
  pump() {
    for (let part = 0; part < this.#parts.length && this.#underway.size < WINDOW; part++) {
      if (!this.#confirmed.has(part) && !this.#underway.has(part)) void this.#sendPart(part);
    }
    if (this.#again !== undefined) return;
    this.#again = setTimeout(() => this.#retry(), CONFIRM_WITHIN);
  }

  /** The other side has this part. @param {number} part */
  got(part) {
    this.#confirmed.add(part);
    this.#underway.delete(part);
    clearTimeout(this.#again);
    this.#again = undefined;
    this.pump();
  }

  stop() {
    clearTimeout(this.#again);
    this.#again = undefined;
  }

  #retry() {
    this.#again = undefined;
    // All was confirmed, and it is not whole over there: the page was loaded anew meanwhile, and begins again.
    if (this.#confirmed.size === this.#parts.length) this.#confirmed.clear();
    this.#underway.clear();
    this.pump();
  }

  /** @param {number} part */
  async #sendPart(part) {
    this.#underway.add(part);
    this.#send(/** @type {Uint8Array<ArrayBuffer>} */ (await this.#parts[part]?.()));
  }
}
