/**
 * The short authentication string of a direct connection: six digits that are the same on both screens if, and only if,
 * nobody stands in between. The protocol is that of ZRTP (RFC 6189, 4.4 and 7) in small: one side commits itself to a
 * random number before it knows the other's, so that a man in the middle has one guess, and no more, per connection.
 *
 *   impolite                                            polite
 *   commit = SHA-256("vsdk-sas1" ‖ mine ‖ fingerprints) ──▶
 *                                                    ◀── nonce: theirs
 *   reveal: mine ──▶                                     (checks the commitment)
 *   both: HKDF-SHA-256(mine ‖ theirs, info = fingerprints in order ‖ visit)
 *
 * The messages go over the data channel `ctl`, whose two ends are the certificates that the fingerprints are of.
 *
 * @import { Control } from './peer.js'
 * @typedef {object} Code
 * @property {string} digits  six
 * @property {number[]} symbols  seven, each 0 to 63: 42 bits, for those who want to be surer
 * @typedef {object} Ends  SHA-256 of the two certificates, as hex without colons in lower case
 * @property {string} own
 * @property {string} theirs
 */

const LABEL = 'vsdk-sas1';
const NONCE = 32;

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** @param {ArrayBuffer | Uint8Array} data */
function hex(data) {
  return Array.from(new Uint8Array(data), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer> | null} null for what is no nonce */
function nonceOf(text) {
  if (!/^[0-9a-f]{64}$/.test(text)) return null;
  return Uint8Array.from({ length: NONCE }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** @param {string} nonce @param {string} impolite @param {string} polite */
async function commitment(nonce, impolite, polite) {
  return hex(await crypto.subtle.digest('SHA-256', bytes(`${LABEL}|${nonce}|${impolite}|${polite}`)));
}

/**
 * @param {string} impolite  nonce of the impolite side, as hex
 * @param {string} polite
 * @param {Ends} ends
 * @param {string} visit
 * @returns {Promise<Code>}
 */
export async function codeOf(impolite, polite, { own, theirs }, visit) {
  const secret = /** @type {Uint8Array<ArrayBuffer>} */ (new Uint8Array([...(nonceOf(impolite) ?? []), ...(nonceOf(polite) ?? [])]));
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const info = bytes([LABEL, ...[own, theirs].sort(), visit].join('|'));
  const derived = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }, key, 128);
  const view = new DataView(derived);
  // The remainder of 64 bits is even to within 10^6 / 2^64.
  const digits = String(view.getBigUint64(0) % 1_000_000n).padStart(6, '0');
  const rest = view.getBigUint64(8);
  const symbols = Array.from({ length: 7 }, (_, at) => Number((rest >> BigInt(6 * at)) & 63n));
  return { digits, symbols };
}

/** One run of the protocol, over one data channel. */
export class Sas {
  /** @type {Code | null} */
  code = null;
  /** The other side did not keep to its commitment, or said what makes no sense: somebody is in between. */
  broken = false;
  #options;
  #mine = hex(crypto.getRandomValues(new Uint8Array(NONCE)));
  #commit = '';
  #answered = false;

  /**
   * @param {{ polite: boolean, ends: Ends, visit: string, send: (message: Control) => void, onChange: () => void }} options
   */
  constructor(options) {
    this.#options = options;
  }

  /** The impolite side begins. */
  async begin() {
    const { polite, ends, send } = this.#options;
    if (!polite) send({ t: 'sas-commit', commit: await commitment(this.#mine, ends.own, ends.theirs) });
  }

  /** @param {Control} message  one whose `t` begins with `sas-` */
  async receive(message) {
    const { polite, ends, send } = this.#options;
    const text = String(message.t === 'sas-commit' ? message.commit : message.nonce);
    if (this.code || this.broken) return;
    if (polite && message.t === 'sas-commit' && !this.#commit) {
      this.#commit = text;
      send({ t: 'sas-nonce', nonce: this.#mine });
    } else if (!polite && message.t === 'sas-nonce' && !this.#answered) {
      this.#answered = true;
      if (!nonceOf(text)) return this.#break();
      send({ t: 'sas-reveal', nonce: this.#mine });
      await this.#agree(this.#mine, text);
    } else if (polite && message.t === 'sas-reveal' && this.#commit && !this.#answered) {
      this.#answered = true;
      const kept = nonceOf(text) && (await commitment(text, ends.theirs, ends.own)) === this.#commit;
      if (!kept) return this.#break();
      await this.#agree(text, this.#mine);
    } else this.#break();
  }

  /** @param {string} impolite @param {string} polite */
  async #agree(impolite, polite) {
    this.code = await codeOf(impolite, polite, this.#options.ends, this.#options.visit);
    this.#options.onChange();
  }

  #break() {
    this.broken = true;
    this.#options.onChange();
  }
}

/**
 * The certificates really in use: one's own by its description, theirs by what the encryption has checked.
 * @param {RTCPeerConnection} pc  connected
 * @returns {Promise<Ends | null>}
 */
export async function endsOf(pc) {
  const own = fingerprint(pc.localDescription?.sdp);
  const transport = pc.getSenders()[0]?.transport ?? pc.sctp?.transport;
  const certificate = transport?.getRemoteCertificates?.()[0];
  // Where a browser does not show it, the description: the browser has compared the two (RFC 8122, 5).
  const theirs = certificate ? hex(await crypto.subtle.digest('SHA-256', certificate)) : fingerprint(pc.remoteDescription?.sdp);
  return own && theirs ? { own, theirs } : null;
}

/** @param {string | undefined} sdp */
function fingerprint(sdp) {
  return /^a=fingerprint:sha-256 (\S+)/im.exec(sdp ?? '')?.[1]?.replaceAll(':', '').toLowerCase();
}
