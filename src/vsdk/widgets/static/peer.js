/**
 * One direct connection to one peer: perfect negotiation (W3C WebRTC, 10.7), and repair when the line breaks.
 *
 * The impolite side may be made before it is known for whom: it then has its offer and its addresses ready, and
 * `attach` sends them at once.
 *
 * @import { Quality } from './line.js'
 * @import { Interrupted } from './protocol.js'
 * @import { Ends } from './sas.js'
 *
 * @typedef {{ audio: MediaStreamTrack | null, video: MediaStreamTrack | null }} Tracks
 * @typedef {{ microphone: boolean, camera: boolean }} Switches  what a side sends
 * @typedef {Switches & { screen: boolean }} RemoteSwitches
 * @typedef {{ t: string, [field: string]: unknown }} Control  a message on the data channel `ctl`
 * @typedef {object} Line  what an attached peer needs from the outside
 * @property {(message: { type: 'offer' | 'answer', epoch: number, sdp: string }
 *   | { type: 'ice', epoch: number, candidate: RTCIceCandidateInit | null }) => void} send
 * @property {() => boolean} reachable  whether signalling stands here
 * @property {() => void} onChange  quality, remote stream or remote switches changed
 * @property {() => void} onRebuild  restarts do not help; impolite side only
 * @property {(message: Control) => void} onControl
 * @property {string} visit
 * @property {(stats: RTCStatsReport) => void} onStats  each second
 */

import { RESTART_AFTER, UNSTABLE_AFTER, judge } from './line.js';
import { Sas, endsOf } from './sas.js';

const WATCH_EVERY = 1000;
const CONNECT_WITHIN = 10_000;
/** Sound comes, the picture does not: perhaps the line is thin, so be slow to act. */
const PICTURE_WITHIN = 10_000;
const RESTART_PAUSE = 4000;
const RESTARTS = 3;
const RESTARTS_WITHIN = 15_000;
/** While the other side sleeps: rarely, and so never often enough to build the connection anew. */
const ASLEEP_PAUSE = 20_000;

/**
 * The first pictures go out small: a browser drops the first large ones until it knows what the line can carry,
 * which cost 150 ms. The full size follows.
 */
const FIRST_HEIGHT = 360;
const SMALL_FOR = 2000;

/** @type {Promise<RTCCertificate> | undefined} */
let made;

/** The certificate of this page load; the same for all its connections, so that its fingerprint stays the same. */
export function certificate() {
  made ??= RTCPeerConnection.generateCertificate(
    /** @type {AlgorithmIdentifier} */ ({ name: 'ECDSA', namedCurve: 'P-256' }),
  );
  return made;
}

/** The id of the RTCPeerConnection that wrote this SDP (RFC 8829, 5.2.1: stays the same for its life). @param {string} sdp */
export function sdpSession(sdp) {
  return /^o=\S+ (\d+)/m.exec(sdp)?.[1] ?? '';
}

/** @param {MediaStreamTrack | null} video */
function firstScale(video) {
  return Math.max(1, (video?.getSettings().height ?? 2 * FIRST_HEIGHT) / FIRST_HEIGHT);
}

export class Peer {
  polite;
  pc;
  born = performance.now();
  /** What the other side sends. */
  remote = new MediaStream();
  /** The screen that the other side shares, while it does. */
  remoteScreen = new MediaStream();
  /** @type {RemoteSwitches} */
  remoteSwitches = { microphone: true, camera: true, screen: false };
  /** @type {Interrupted | null} why the other side sends nothing, or not all */
  remoteInterruption = null;
  /** @type {Quality} */
  quality = 'connecting';
  /** @type {Sas | null} what both sides can compare, to know that nobody is in between */
  sas = null;
  /** @type {Ends | null} */
  ends = null;
  /** @type {Line | null} */ #line = null;
  #epoch = 0;
  /** @type {Tracks} */ #tracks;
  /** @type {MediaStreamTrack | null} */ #screen = null;
  /** @type {Switches} */ #switches = { microphone: true, camera: true };
  /** @type {Interrupted | null} */ #interruption = null;
  /** @type {RTCDataChannel | null} */ #ctl = null;
  /** @type {Promise<void>} */ #comparing = Promise.resolve();
  #makingOffer = false;
  #ignoreOffer = false;
  #takingAnswer = false;
  /** @type {(RTCIceCandidateInit | null)[]} */ #early = [];
  #everConnected = false;
  #packets = 0;
  #heard = performance.now();
  #pictures = 0;
  #seen = performance.now();
  #watched = performance.now();
  /** @type {number[]} */ #restarts = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #growing;

  /** @param {{ polite: boolean, iceServers: RTCIceServer[], certificate: RTCCertificate, tracks: Tracks }} options */
  constructor({ polite, iceServers, certificate, tracks }) {
    this.polite = polite;
    this.#tracks = tracks;
    const pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle', certificates: [certificate] });
    this.pc = pc;
    pc.onnegotiationneeded = () => void this.#offer();
    pc.onicecandidate = ({ candidate }) => {
      this.#line?.send({ type: 'ice', epoch: this.#epoch, candidate: candidate?.toJSON() ?? null });
    };
    pc.onconnectionstatechange = () => this.#changed();
    if (!polite) {
      pc.addTransceiver(tracks.audio ?? 'audio', { direction: 'sendrecv' });
      const sendEncodings = [{ scaleResolutionDownBy: firstScale(tracks.video) }];
      pc.addTransceiver(tracks.video ?? 'video', { direction: 'sendrecv', sendEncodings });
      pc.addTransceiver('video', { direction: 'inactive' });
      this.#ready();
    }
  }

  /** From now on it is for this peer. @param {number} epoch @param {Line} line */
  attach(epoch, line) {
    this.#epoch = epoch;
    this.#line = line;
    this.#heard = this.#seen = this.#watched = this.born = performance.now();
    this.resend();
    this.#timer = setInterval(() => void this.#watch(), WATCH_EVERY);
  }

  close() {
    clearInterval(this.#timer);
    clearTimeout(this.#growing);
    this.#line = null;
    this.pc.onconnectionstatechange = this.pc.onicecandidate = this.pc.onnegotiationneeded = null;
    this.pc.close();
  }

  /** Send these from now on; nothing is negotiated again. @param {Tracks} tracks */
  setTracks(tracks) {
    this.#tracks = tracks;
    const [audio, video] = this.pc.getTransceivers();
    audio?.sender.replaceTrack(tracks.audio).catch(() => {});
    video?.sender.replaceTrack(tracks.video).catch(() => {});
  }

  /** Share this screen, or none any more: the one thing that is negotiated again. @param {MediaStreamTrack | null} screen */
  setScreen(screen) {
    this.#screen = screen;
    const third = this.pc.getTransceivers()[2];
    if (third && (screen || third.sender.track)) {
      third.direction = screen ? 'sendrecv' : 'recvonly';
      third.sender.replaceTrack(screen).catch(() => {});
    }
    this.setSwitches(this.#switches);
  }

  /** Tell the other side what is switched on here. @param {Switches} switches */
  setSwitches(switches) {
    this.#switches = { ...switches };
    this.tell({ t: 'media', ...this.#switches, screen: this.#screen !== null });
  }

  /** Tell the other side why nothing comes. @param {Interrupted | null} interruption */
  setInterruption(interruption) {
    const before = this.#interruption;
    this.#interruption = interruption;
    if (interruption) this.tell({ t: 'interruption', state: 'begin', ...interruption });
    else if (before) this.tell({ t: 'interruption', ...before, state: 'end' });
  }

  /** The other side has said so, one way or the other. @param {Interrupted | null} interruption */
  interrupted(interruption) {
    this.remoteInterruption = interruption;
    this.#heard = this.#seen = performance.now();
    this.#rate();
    this.#line?.onChange();
  }

  /** Send on `ctl`; false when it is not open. @param {Control} message */
  tell(message) {
    if (this.#ctl?.readyState !== 'open') return false;
    this.#ctl.send(JSON.stringify(message));
    return true;
  }

  /** Whether an offer comes from the connection that this one already talks to. @param {string} sdp */
  continues(sdp) {
    const known = this.pc.remoteDescription?.sdp;
    return !known || sdpSession(known) === sdpSession(sdp);
  }

  /**
   * An offer or answer has come.
   * @param {'offer' | 'answer'} type
   * @param {string} sdp
   * @param {number} epoch
   */
  async describe(type, sdp, epoch) {
    this.#epoch = epoch;
    const { pc } = this;
    const settled = pc.signalingState === 'stable' || this.#takingAnswer;
    const collision = type === 'offer' && (this.#makingOffer || !settled);
    this.#ignoreOffer = !this.polite && collision;
    if (this.#ignoreOffer || (type === 'answer' && pc.signalingState !== 'have-local-offer')) return;
    this.#takingAnswer = type === 'answer';
    await pc.setRemoteDescription({ type, sdp }).finally(() => (this.#takingAnswer = false));
    if (type === 'offer') {
      this.#ready();
      const third = pc.getTransceivers()[2];
      if (third?.direction === 'inactive') third.direction = 'recvonly';
      await pc.setLocalDescription();
      this.resend();
    }
    for (const candidate of this.#early.splice(0)) await this.addCandidate(candidate);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async addCandidate(candidate) {
    if (!this.pc.remoteDescription) {
      this.#early.push(candidate);
      return;
    }
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.#ignoreOffer && this.pc.signalingState !== 'closed') throw error;
    }
  }

  /** Send the present description (again), with all addresses found so far. */
  resend() {
    const description = this.pc.localDescription;
    if (!description || (description.type !== 'offer' && description.type !== 'answer')) return;
    this.#line?.send({ type: description.type, epoch: this.#epoch, sdp: description.sdp });
  }

  /** Look for a new path to the peer. @param {RTCIceServer[]} [iceServers] fresh ones, if there are any */
  restart(iceServers) {
    const { pc } = this;
    if (!this.#line?.reachable() || (this.polite && !pc.remoteDescription)) return;
    const now = performance.now();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTARTS_WITHIN);
    if (this.#restarts.length >= RESTARTS) {
      if (!this.polite) this.#line.onRebuild();
      return;
    }
    this.#restarts.push(now);
    if (iceServers) pc.setConfiguration({ ...pc.getConfiguration(), iceServers });
    if (pc.signalingState === 'have-local-offer') this.resend();
    else pc.restartIce();
  }

  /** Signalling was away: what was under way got lost. */
  recover() {
    if (this.quality !== 'good') this.resend();
  }

  async #offer() {
    try {
      this.#makingOffer = true;
      await this.pc.setLocalDescription();
      this.resend();
    } finally {
      this.#makingOffer = false;
    }
  }

  /** The transceivers are there: take their tracks, give ours, open `ctl`. */
  #ready() {
    if (this.#ctl) return;
    const [audio, video, third] = this.pc.getTransceivers();
    for (const transceiver of [audio, video]) {
      if (!transceiver) continue;
      transceiver.direction = 'sendrecv';
      this.remote.addTrack(transceiver.receiver.track);
    }
    if (third) this.remoteScreen.addTrack(third.receiver.track);
    if (this.polite) {
      this.setTracks(this.#tracks);
      this.#scale(firstScale(this.#tracks.video));
      if (this.#screen) this.setScreen(this.#screen);
    }
    const ctl = this.pc.createDataChannel('ctl', { negotiated: true, id: 0 });
    ctl.onopen = () => {
      this.setSwitches(this.#switches);
      this.setInterruption(this.#interruption);
      this.#comparing = this.#compare();
    };
    ctl.onmessage = ({ data }) => this.#control(JSON.parse(data));
    this.#ctl = ctl;
    this.#line?.onChange();
  }

  async #compare() {
    this.ends = await endsOf(this.pc);
    const { polite, ends } = this;
    if (!ends || !this.#line) return;
    const send = (/** @type {Control} */ message) => void this.tell(message);
    this.sas = new Sas({ polite, ends, visit: this.#line.visit, send, onChange: () => this.#line?.onChange() });
    await this.sas.begin();
  }

  /** How much smaller than the camera's the picture is sent. @param {number} factor */
  #scale(factor) {
    const sender = this.pc.getTransceivers()[1]?.sender;
    const parameters = sender?.getParameters();
    if (!parameters?.encodings?.[0]) return;
    parameters.encodings[0].scaleResolutionDownBy = factor;
    sender?.setParameters(parameters).catch(() => {});
  }

  /** @param {Control} message */
  #control(message) {
    if (message.t === 'media') {
      const { microphone, camera, screen } = message;
      this.remoteSwitches = { microphone: microphone === true, camera: camera === true, screen: screen === true };
      this.#line?.onChange();
    } else if (message.t === 'interruption') {
      const { state, cause, kinds, since } = /** @type {any} */ (message);
      const begun = state === 'begin' && Array.isArray(kinds) && !Number.isNaN(Date.parse(since));
      this.interrupted(begun ? { cause, kinds, since } : null);
    } else if (message.t.startsWith('sas-')) {
      this.#comparing = this.#comparing.then(() => this.sas?.receive(message));
    } else {
      this.#line?.onControl(message);
    }
  }

  #changed() {
    const state = this.pc.connectionState;
    if (state === 'connected') {
      this.#everConnected = true;
      this.#heard = this.#seen = performance.now();
      this.#growing ??= setTimeout(() => this.#scale(1), SMALL_FOR);
    }
    this.#rate();
    if (state === 'failed') this.restart();
  }

  async #watch() {
    const now = performance.now();
    // The page slept: what it did not hear meanwhile says nothing about the line.
    if (now - this.#watched > 2 * WATCH_EVERY) this.#heard = this.#seen = now;
    this.#watched = now;
    let packets = 0;
    let pictures = 0;
    const stats = await this.pc.getStats();
    this.#line?.onStats(stats);
    for (const report of stats.values()) {
      if (report.type !== 'inbound-rtp') continue;
      packets += report.packetsReceived ?? 0;
      if (report.kind === 'video') pictures += report.packetsReceived ?? 0;
    }
    if (packets !== this.#packets) this.#heard = now;
    if (pictures !== this.#pictures || !this.#expects('video')) this.#seen = now;
    this.#packets = packets;
    this.#pictures = pictures;
    this.#rate();
    const silence = now - this.#heard;
    const frozen = now - this.#seen;
    const stuck = this.#everConnected
      ? this.quality !== 'good' && silence >= (this.pc.connectionState === 'disconnected' ? UNSTABLE_AFTER : RESTART_AFTER)
      : now - this.born >= CONNECT_WITHIN;
    const pause = now - (this.#restarts.at(-1) ?? -Infinity);
    if (stuck ? pause >= (this.#asleep ? ASLEEP_PAUSE : RESTART_PAUSE) : Math.min(frozen, pause) >= PICTURE_WITHIN) this.restart();
  }

  /** A phone call, or another page, has the other side: a system may have frozen its page. */
  get #asleep() {
    const { cause } = this.remoteInterruption ?? {};
    return cause !== undefined && cause !== 'ended' && cause !== 'device-lost';
  }

  /** Whether the other side says that it sends this. @param {'audio' | 'video'} kind */
  #expects(kind) {
    const { microphone, camera } = this.remoteSwitches;
    return (kind === 'audio' ? microphone : camera) && !this.remoteInterruption?.kinds.includes(kind);
  }

  #rate() {
    const picture = this.#expects('video');
    const expected = picture || this.#expects('audio');
    const silence = performance.now() - this.#heard;
    const frozen = picture ? performance.now() - this.#seen : 0;
    const state = this.pc.connectionState;
    const quality = judge({ state, everConnected: this.#everConnected, silence, expected, frozen });
    if (quality === this.quality) return;
    this.quality = quality;
    this.#line?.onChange();
  }
}
