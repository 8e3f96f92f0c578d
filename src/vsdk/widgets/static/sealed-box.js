/**
 * Sealed boxes between two pages of a visit, that whoever forwards them cannot open.
 *
 *   secret  = ECDH(P-256, own private key, their public key)                    NIST SP 800-56A
 *   derived = HKDF-SHA-256(secret, salt: 32 random bytes, info), 64 bytes       RFC 5869
 *   info    = "vsdk-chat1" | visit | sender | receiver | sender's key | receiver's key
 *   box     = salt ‖ derived[32…64] ‖ AES-256-GCM(derived[0…32], nonce 0)       NIST SP 800-38D
 *
 * A key that is used once needs no other nonce than 0. The second half of what is derived commits the box to its key:
 * with AES-GCM alone, one box could be made that opens to two texts under two keys. Names in `info` keep a box from being
 * opened as one of somebody else, of another visit, or of one's own.
 *
 * @typedef {{ keys: CryptoKeyPair, key: string }} Keys  `key`: the public one, 65 bytes (SEC 1) as base64url
 * @typedef {{ participant: string, key: string }} End
 */

const LABEL = 'vsdk-chat1';
const SALT = 32;
const KEY = 32;
const NONCE = new Uint8Array(12);
const CURVE = { name: 'ECDH', namedCurve: 'P-256' };

/** New keys; the private one never leaves the browser, also not towards this page. @returns {Promise<Keys>} */
export async function newKeys() {
  const keys = await crypto.subtle.generateKey(CURVE, false, ['deriveBits']);
  return { keys, key: encode(new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey))) };
}

export class SealedBoxes {
  #visit;
  #own;
  #theirs;
  #secret;

  /** @param {Keys} keys @param {string} visit @param {string} own  participant @param {End} theirs */
  constructor({ keys, key }, visit, own, theirs) {
    this.#visit = visit;
    this.#own = { participant: own, key };
    this.#theirs = theirs;
    this.#secret = this.#agree(keys.privateKey);
    this.#secret.catch(() => {});
  }

  /** @param {CryptoKey} own */
  async #agree(own) {
    const theirs = await crypto.subtle.importKey('raw', decode(this.#theirs.key), CURVE, false, []);
    const bits = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, own, 256);
    return crypto.subtle.importKey('raw', bits, 'HKDF', false, ['deriveBits']);
  }

  /** @param {Uint8Array<ArrayBuffer>} salt @param {End} from @param {End} to */
  async #derive(salt, from, to) {
    const names = [LABEL, this.#visit, from.participant, to.participant, from.key, to.key].join('|');
    const info = new TextEncoder().encode(names);
    const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, await this.#secret, 16 * KEY);
    const key = await crypto.subtle.importKey('raw', bits.slice(0, KEY), 'AES-GCM', false, ['encrypt', 'decrypt']);
    return { key, commitment: new Uint8Array(bits, KEY) };
  }

  /** Rejects when their key is none. @param {Uint8Array<ArrayBuffer>} content @returns {Promise<string>} base64url */
  async seal(content) {
    const salt = crypto.getRandomValues(new Uint8Array(SALT));
    const { key, commitment } = await this.#derive(salt, this.#own, this.#theirs);
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: NONCE }, key, content);
    return encode(new Uint8Array([...salt, ...commitment, ...new Uint8Array(sealed)]));
  }

  /** Null for a box that is not from them to us, or was changed. @param {string} box @returns {Promise<Uint8Array<ArrayBuffer> | null>} */
  async open(box) {
    try {
      const bytes = decode(box);
      const { key, commitment } = await this.#derive(bytes.slice(0, SALT), this.#theirs, this.#own);
      if (encode(bytes.slice(SALT, SALT + KEY)) !== encode(commitment)) return null;
      const content = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: NONCE }, key, bytes.slice(SALT + KEY));
      return new Uint8Array(content);
    } catch {
      return null;
    }
  }
}

/** @param {Uint8Array} bytes @returns {string} base64url without padding (RFC 4648, 5) */
export function encode(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function decode(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}
