/**
 * Measures the connection before a visit, with sound and pictures that this page makes itself; never the microphone,
 * never the camera.
 *
 * Where the practice has a TURN server: two connections of this page meet through it, so that the figures are those of
 * the way that a visit takes when nothing better is found, over UDP or, where that is blocked, over TLS. Where it has
 * none: an echo of the server. Where there is neither, a few HTTP requests. What cannot be reached is a result.
 *
 * @import { Figures } from './quality.js'
 *
 * @typedef {{ handle: string } | { grant: string }} Who
 * @typedef {'udp' | 'tls' | 'echo' | 'http'} Path
 * @typedef {{ path: Path, figures: Figures, codes: string[] }} Measured
 * @typedef {{ ice_servers: RTCIceServer[], echo: boolean }} Offer
 */

import { ping, probe, probeEcho } from './api.js';
import { quantile, rate } from './quality.js';
import { noise, tone } from './test-media.js';

const REPLY_WITHIN = 3000;
const REACH_WITHIN = 3000;
const CONNECT_WITHIN = 4000;
const MEASURE_FOR = 5000;
/** The first figures are those of a line that finds its speed. */
const SETTLE = 1500;
const SAMPLE_EVERY = 250;
const ECHO_SOUND = 3000;
const AGAIN_FOR = 3000;
const ECHO_DATA = 1500;
const CHUNK = new ArrayBuffer(16 * 1024);
/** Bytes that may wait to be sent, and that are asked for. */
const AHEAD = 256_000;
const DOWN = 4_000_000;
/** What still waits to be sent is waited for so long. */
const DRAIN = 1500;
const PINGS = 5;
const PING_WITHIN = 800;
const MAX_BITRATE = 2_500_000;

/** @type {Figures} */
const NOTHING = { roundTrip: null, jitter: null, loss: null, up: null, down: null };

/**
 * @param {string} server
 * @param {Who | null} who  without it only HTTP is measured
 * @param {AbortSignal} signal
 * @returns {Promise<Measured>}
 */
export async function measure(server, who, signal) {
  const offer = who && (await within(REPLY_WITHIN, signal, probe(server, who)));
  if (signal.aborted || !who || !offer) return byHttp(server, signal, who ? ['probe-unreachable'] : []);
  try {
    if (offer.ice_servers.length) return await throughTurn(offer.ice_servers, signal);
    if (offer.echo) return await throughEcho(server, who, signal);
  } catch {
    return byHttp(server, signal, ['probe-unreachable']);
  }
  return byHttp(server, signal, []);
}

/** @param {string} server @param {AbortSignal} signal @param {string[]} codes @returns {Promise<Measured>} */
async function byHttp(server, signal, codes) {
  const roundTrips = [];
  for (let i = 0; i < PINGS && !signal.aborted; i++) {
    const taken = await Promise.race([ping(server), pause(PING_WITHIN).then(() => PING_WITHIN)]).catch(() => null);
    if (taken === null) return { path: 'http', figures: NOTHING, codes: ['server-unreachable'] };
    roundTrips.push(taken);
  }
  return { path: 'http', figures: { ...NOTHING, roundTrip: quantile(roundTrips, 0.5) }, codes };
}

/** @param {RTCIceServer[]} servers @param {AbortSignal} signal @returns {Promise<Measured>} */
async function throughTurn(servers, signal) {
  const ways = { udp: only(servers, (url) => !secured(url)), tls: only(servers, secured) };
  const [udp, tls] = await Promise.all([reach(ways.udp, signal), reach(ways.tls, signal)]);
  const codes = [];
  if (udp === 'refused' || tls === 'refused') codes.push('turn-credentials');
  if (udp === 'blocked') codes.push('turn-udp-blocked');
  if (tls === 'blocked') codes.push('turn-tls-blocked');
  const path = udp === 'open' ? 'udp' : tls === 'open' ? 'tls' : null;
  if (!path) return { path: 'udp', figures: NOTHING, codes: [...codes, 'turn-unreachable'] };
  const figures = await loop(ways[path], signal);
  return { path, figures: figures ?? NOTHING, codes: figures ? codes : [...codes, 'turn-unreachable'] };
}

/** TCP counts as TLS: it is what gets through where UDP does not. @param {string} url */
function secured(url) {
  return url.startsWith('turns:') || /[?&]transport=tcp/.test(url);
}

/** @param {RTCIceServer[]} servers @param {(url: string) => boolean} wanted @returns {RTCIceServer[]} */
function only(servers, wanted) {
  return servers
    .map((server) => ({ ...server, urls: [server.urls].flat().filter(wanted) }))
    .filter(({ urls }) => urls.length);
}

/**
 * Whether a relay address can be had there.
 * @param {RTCIceServer[]} servers
 * @param {AbortSignal} signal
 * @returns {Promise<'open' | 'blocked' | 'refused' | 'none'>}
 */
async function reach(servers, signal) {
  if (!servers.length) return 'none';
  const pc = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: 'relay' });
  try {
    pc.createDataChannel('reach');
    const found = new Promise((resolve) => {
      pc.onicecandidate = ({ candidate }) => resolve(candidate?.type === 'relay' ? 'open' : 'blocked');
      pc.onicecandidateerror = ({ errorCode }) => errorCode === 401 && resolve('refused');
    });
    await pc.setLocalDescription();
    return await Promise.race([found, pause(REACH_WITHIN, signal).then(() => 'blocked')]);
  } finally {
    pc.close();
  }
}

/** Two connections of this page, through the relay. @param {RTCIceServer[]} iceServers @param {AbortSignal} signal */
async function loop(iceServers, signal) {
  const there = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
  const here = new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' });
  const sound = tone();
  const picture = noise();
  try {
    there.onicecandidate = ({ candidate }) => void here.addIceCandidate(candidate ?? undefined).catch(() => {});
    here.onicecandidate = ({ candidate }) => void there.addIceCandidate(candidate ?? undefined).catch(() => {});
    there.addTrack(sound.track);
    there.addTransceiver(picture.track, { direction: 'sendonly', sendEncodings: [{ maxBitrate: MAX_BITRATE }] });
    await there.setLocalDescription();
    await here.setRemoteDescription(/** @type {RTCSessionDescription} */ (there.localDescription));
    await here.setLocalDescription();
    await there.setRemoteDescription(/** @type {RTCSessionDescription} */ (here.localDescription));
    if (!(await connected(there, signal))) return null;
    return await steadied(there, here, MEASURE_FOR, signal);
  } finally {
    sound.stop();
    picture.stop();
    there.close();
    here.close();
  }
}

/**
 * Sound that trembled or got lost is listened to once more, and the better time counts: a moment in which the device was
 * busy says nothing about the line.
 * @param {RTCPeerConnection} sender
 * @param {RTCPeerConnection} receiver
 * @param {number} milliseconds  of the first time
 * @param {AbortSignal} signal
 * @returns {Promise<Figures>}
 */
async function steadied(sender, receiver, milliseconds, signal) {
  const first = await sampled(sender, receiver, milliseconds, signal);
  if (score(first) === 0) return first;
  const again = await sampled(sender, receiver, AGAIN_FOR, signal);
  if (signal.aborted || score(again) > score(first)) return first;
  const fastest = Math.max(first.up ?? 0, again.up ?? 0) || null;
  return { ...again, up: fastest, down: fastest };
}

/** How many of jitter and loss are not good, a bad one twice. @param {Figures} figures */
function score({ jitter, loss }) {
  const grades = rate({ ...NOTHING, jitter, loss }).map((row) => row.grade);
  return grades.reduce((sum, grade) => sum + (grade === 'good' ? 0 : grade === 'fair' ? 1 : 2), 0);
}

/**
 * @param {RTCPeerConnection} sender
 * @param {RTCPeerConnection} receiver  may be the same, when an echo comes back
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<Figures>}
 */
async function sampled(sender, receiver, milliseconds, signal) {
  const roundTrips = [];
  const jitters = [];
  const rates = [];
  let settled = null;
  let last = null;
  for (let passed = 0; passed < milliseconds && !signal.aborted; passed += SAMPLE_EVERY) {
    await pause(SAMPLE_EVERY);
    const now = await figures(sender, receiver);
    if (passed >= SETTLE) {
      settled ??= now;
      if (now.roundTrip !== null) roundTrips.push(now.roundTrip);
      if (now.jitter !== null) jitters.push(now.jitter);
      if (now.available) rates.push(now.available);
      if (last && now.bytes > last.bytes) rates.push((8 * (now.bytes - last.bytes)) / (now.at - last.at));
    }
    last = now;
  }
  const sent = last && settled ? last.received + last.lost - settled.received - settled.lost : 0;
  const rate = rates.length ? Math.max(...rates) : null;
  return {
    roundTrip: quantile(roundTrips, 0.5),
    jitter: quantile(jitters, 0.95),
    loss: last && settled && sent > 0 ? (100 * Math.max(0, last.lost - settled.lost)) / sent : null,
    up: rate,
    down: rate,
  };
}

/** @param {RTCPeerConnection} sender @param {RTCPeerConnection} receiver */
async function figures(sender, receiver) {
  const found = {
    at: performance.now(), roundTrip: /** @type {number | null} */ (null), jitter: /** @type {number | null} */ (null),
    received: 0, lost: 0, bytes: 0, available: 0,
  };
  for (const report of (await sender.getStats()).values()) {
    if (report.type === 'candidate-pair' && report.nominated) {
      if (report.currentRoundTripTime !== undefined) found.roundTrip ??= 1000 * report.currentRoundTripTime;
      found.available = (report.availableOutgoingBitrate ?? 0) / 1000;
    }
    if (report.type !== 'remote-inbound-rtp') continue;
    if (report.kind === 'audio' && report.roundTripTime) found.roundTrip = 1000 * report.roundTripTime;
    if (sender === receiver) found.lost += report.packetsLost ?? 0;
  }
  for (const report of (await receiver.getStats()).values()) {
    if (report.type !== 'inbound-rtp') continue;
    found.received += report.packetsReceived ?? 0;
    found.lost += report.packetsLost ?? 0;
    if (report.kind === 'audio') found.jitter = 1000 * (report.jitter ?? 0);
    if (report.kind === 'video') found.bytes += report.bytesReceived ?? 0;
  }
  return found;
}

/** @param {string} server @param {Who} who @param {AbortSignal} signal @returns {Promise<Measured>} */
async function throughEcho(server, who, signal) {
  const pc = new RTCPeerConnection();
  const sound = tone();
  try {
    const channel = pc.createDataChannel('throughput');
    channel.binaryType = 'arraybuffer';
    pc.addTrack(sound.track);
    await pc.setLocalDescription();
    await gathered(pc);
    const sdp = await within(REPLY_WITHIN, signal, probeEcho(server, who, pc.localDescription?.sdp ?? ''));
    if (!sdp) return byHttp(server, signal, ['probe-unreachable']);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    if (!(await connected(pc, signal)) || !(await opened(channel, signal))) {
      return byHttp(server, signal, ['probe-udp-blocked']);
    }
    const { roundTrip, jitter, loss } = await steadied(pc, pc, ECHO_SOUND, signal);
    const up = await upload(channel, signal);
    const down = await download(channel, signal);
    return { path: 'echo', figures: { roundTrip, jitter, loss, up, down }, codes: [] };
  } finally {
    sound.stop();
    pc.close();
  }
}

/** kb/s that were confirmed. @param {RTCDataChannel} channel @param {AbortSignal} signal */
async function upload(channel, signal) {
  let got = 0;
  channel.onmessage = ({ data }) => {
    const message = typeof data === 'string' ? JSON.parse(data) : null;
    if (message?.t === 'got') got = message.bytes;
  };
  const begun = performance.now();
  while (performance.now() - begun < ECHO_DATA && channel.readyState === 'open' && !signal.aborted) {
    if (channel.bufferedAmount < AHEAD && got < DOWN) channel.send(CHUNK);
    else await pause(5);
    if (channel.bufferedAmount >= AHEAD / 2) await pause(1);
  }
  const rate = got ? (8 * got) / (performance.now() - begun) : null;
  for (let waited = 0; channel.bufferedAmount > 0 && waited < DRAIN && !signal.aborted; waited += 20) await pause(20);
  return rate;
}

/** kb/s that came. @param {RTCDataChannel} channel @param {AbortSignal} signal */
async function download(channel, signal) {
  let got = 0;
  let first = 0;
  let last = 0;
  channel.onmessage = ({ data }) => {
    if (typeof data === 'string') return;
    last = performance.now();
    first ||= last;
    got += data.byteLength;
  };
  if (channel.readyState !== 'open') return null;
  const asked = performance.now();
  channel.send(JSON.stringify({ t: 'send', bytes: DOWN }));
  while (got < DOWN && performance.now() - (first || asked + DRAIN) < ECHO_DATA && !signal.aborted) await pause(20);
  return got ? (8 * got) / (last - asked) : null;
}

/** @param {RTCPeerConnection} pc */
async function gathered(pc) {
  const complete = new Promise((resolve) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && resolve(true);
  });
  if (pc.iceGatheringState !== 'complete') await Promise.race([complete, pause(1000)]);
}

/** @param {RTCPeerConnection} pc @param {AbortSignal} signal @returns {Promise<boolean>} */
async function connected(pc, signal) {
  const stands = new Promise((resolve) => {
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'connected') resolve(true);
      if (pc.connectionState === 'failed') resolve(false);
    };
  });
  if (pc.connectionState === 'connected') return true;
  return Promise.race([stands, pause(CONNECT_WITHIN, signal).then(() => false)]);
}

/** @param {RTCDataChannel} channel @param {AbortSignal} signal @returns {Promise<boolean>} */
async function opened(channel, signal) {
  if (channel.readyState === 'open') return true;
  const open = new Promise((resolve) => (channel.onopen = () => resolve(true)));
  return Promise.race([open, pause(CONNECT_WITHIN, signal).then(() => false)]);
}

/**
 * What the server says; null when it says nothing in time, or no.
 * @template T
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @param {Promise<T>} reply
 * @returns {Promise<T | null>}
 */
function within(milliseconds, signal, reply) {
  return Promise.race([reply.catch(() => null), pause(milliseconds, signal).then(() => null)]);
}

/** @param {number} milliseconds @param {AbortSignal} [signal]  ends it early */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve(undefined)));
  });
}
