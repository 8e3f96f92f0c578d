/**
 * The system report: what support needs to know about a browser and a line, and nothing about anybody. It is made in the
 * browser and downloaded by its owner; nothing sends it. No name, no whole address, no content, no identifier of a visit.
 *
 * @typedef {object} Sample  one moment of one connection; null for what is not known
 * @property {number} at  seconds since the page was opened
 * @property {number | null} roundTrip  milliseconds
 * @property {number | null} jitter  milliseconds, of sound
 * @property {number | null} loss  percent of the packets since the sample before
 * @property {number} up  kb/s
 * @property {number} down  kb/s
 * @property {number | null} width  pixels of the picture that comes
 * @property {number | null} height
 * @property {number | null} frames  per second
 * @typedef {{ type: string, protocol: string, address: string, relay?: string }} Candidate
 * @typedef {{ samples: Sample[], local: Candidate[], remote: Candidate[], selected: [string, string] | null }} Line
 * @typedef {{ at: number, code: string }} Moment
 * @typedef {{ grade: string, codes: string[], figures?: Record<string, number> }} Checked
 * @typedef {object} Data
 * @property {string} made  ISO 8601
 * @property {string} code  which version of our files this page runs: their common hash
 * @property {Record<string, string | number | boolean>} browser
 * @property {Record<string, number>} devices  by kind
 * @property {Record<string, string>} permissions
 * @property {Record<string, Checked>} checks  by subject of the device check
 * @property {Line[]} lines
 * @property {Moment[]} events
 */

const EVERY = 5;
/** An hour of samples; a longer visit has every second of them. */
const MOST = 720;
const EVENTS = 500;

/** `<server>/static/<hash>/report.js` */
const CODE = /\/static\/([^/]+)\//.exec(import.meta.url)?.[1] ?? 'unknown';

/** "192.168.x.x", "2001:db8::", "hidden by the browser". @param {string | undefined} address */
export function shortened(address) {
  if (!address) return '';
  if (address.endsWith('.local')) return 'hidden by the browser';
  if (address.includes(':')) return `${(/^[0-9a-f]+(:[0-9a-f]+)?/i.exec(address) ?? [''])[0]}::`;
  return address.replace(/^(\d+\.\d+)\..*$/, '$1.x.x');
}

/** Bytes and packets so far, of which two readings make a sample. */
/** @typedef {{ time: number, sent: number, received: number, packets: number, lost: number }} Reading */

/**
 * @param {Iterable<any>} stats  the values of an RTCStatsReport
 * @param {Reading | null} before
 * @param {number} at
 * @returns {{ reading: Reading, sample: Sample | null }}  no sample from a first reading
 */
export function measure(stats, before, at) {
  const reading = { time: 0, sent: 0, received: 0, packets: 0, lost: 0 };
  /** @type {Sample} */
  const sample = { at, roundTrip: null, jitter: null, loss: null, up: 0, down: 0, width: null, height: null, frames: null };
  for (const entry of stats) {
    if (entry.type === 'transport') {
      reading.time = Math.max(reading.time, entry.timestamp);
      reading.sent += entry.bytesSent ?? 0;
      reading.received += entry.bytesReceived ?? 0;
    } else if (entry.type === 'candidate-pair' && entry.nominated && entry.currentRoundTripTime !== undefined) {
      sample.roundTrip = Math.round(entry.currentRoundTripTime * 1000);
    } else if (entry.type === 'inbound-rtp') {
      reading.packets += entry.packetsReceived ?? 0;
      reading.lost += entry.packetsLost ?? 0;
      if (entry.kind === 'audio' && entry.jitter !== undefined) sample.jitter = Math.round(entry.jitter * 1000);
      if (entry.kind === 'video' && entry.frameWidth) {
        Object.assign(sample, { width: entry.frameWidth, height: entry.frameHeight, frames: entry.framesPerSecond ?? null });
      }
    }
  }
  const seconds = before ? (reading.time - before.time) / 1000 : 0;
  if (!before || seconds <= 0) return { reading, sample: null };
  sample.up = Math.max(0, Math.round(((reading.sent - before.sent) * 8) / 1000 / seconds));
  sample.down = Math.max(0, Math.round(((reading.received - before.received) * 8) / 1000 / seconds));
  const lost = Math.max(0, reading.lost - before.lost);
  const all = reading.packets - before.packets + lost;
  sample.loss = all > 0 ? Math.round((1000 * lost) / all) / 10 : null;
  return { reading, sample };
}

/** @param {any[]} stats @param {'local' | 'remote'} side @returns {Candidate[]} */
function candidates(stats, side) {
  return stats
    .filter(({ type }) => type === `${side}-candidate`)
    .map(({ candidateType, protocol, address, relayProtocol }) => ({
      type: candidateType,
      protocol,
      address: shortened(address),
      ...(relayProtocol && { relay: relayProtocol }),
    }));
}

/** @param {any[]} stats @returns {[string, string] | null} */
function selected(stats) {
  const pair = stats.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  const of = (/** @type {string} */ id) => stats.find((entry) => entry.id === id)?.candidateType ?? '?';
  return pair ? [of(pair.localCandidateId), of(pair.remoteCandidateId)] : null;
}

export class Report {
  /** @type {Moment[]} */ #events = [];
  /** @type {Record<string, Checked>} */ #checks = {};
  /** @type {Map<string, Line & { reading: Reading | null, every: number, due: number }>} by participant, who is not named */
  #lines = new Map();

  /** Something happened. @param {string} code  a word of ours, never of anybody */
  note(code) {
    if (this.#events.length < EVENTS) this.#events.push({ at: now(), code });
  }

  /** What a device check found. @param {string} subject @param {Checked} checked */
  check(subject, checked) {
    this.#checks[subject] = checked;
    this.note(`check ${subject} ${checked.grade}`);
  }

  /** @param {string} participant @param {RTCStatsReport} report */
  hear(participant, report) {
    const known = this.#lines.get(participant);
    const line = known ?? { samples: [], local: [], remote: [], selected: null, reading: null, every: EVERY, due: 0 };
    if (!known) this.#lines.set(participant, line);
    const at = now();
    if (at < line.due) return;
    line.due = at + line.every;
    const stats = [...report.values()];
    const { reading, sample } = measure(stats, line.reading, at);
    Object.assign(line, { reading, local: candidates(stats, 'local'), remote: candidates(stats, 'remote'), selected: selected(stats) });
    if (sample) line.samples.push(sample);
    if (line.samples.length <= MOST) return;
    line.samples = line.samples.filter((_, index) => index % 2 === 0);
    line.every *= 2;
  }

  /** @returns {Promise<Data>} */
  async data() {
    const lines = [...this.#lines.values()].map(({ samples, local, remote, selected }) => ({ samples, local, remote, selected }));
    return {
      made: new Date().toISOString(),
      code: CODE,
      browser: {
        agent: navigator.userAgent,
        languages: navigator.languages.join(', '),
        window: `${innerWidth} × ${innerHeight}`,
        secure: isSecureContext,
        framed: window !== window.top,
        webrtc: typeof RTCPeerConnection === 'function',
        cores: navigator.hardwareConcurrency ?? 0,
        network: /** @type {any} */ (navigator).connection?.effectiveType ?? 'unknown',
      },
      devices: await deviceCounts(),
      permissions: { camera: await permission('camera'), microphone: await permission('microphone') },
      checks: { ...this.#checks },
      lines,
      events: [...this.#events],
    };
  }
}

function now() {
  return Math.round(performance.now() / 1000);
}

async function deviceCounts() {
  const found = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  /** @type {Record<string, number>} */
  const counts = { videoinput: 0, audioinput: 0, audiooutput: 0 };
  for (const { kind } of found) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** @param {string} name */
async function permission(name) {
  const asked = navigator.permissions?.query(/** @type {any} */ ({ name }));
  return (await asked?.catch(() => null))?.state ?? 'unknown';
}
