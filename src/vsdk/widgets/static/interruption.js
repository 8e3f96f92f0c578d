/**
 * Interruptions: a phone call takes the microphone, the screen is locked, a camera is unplugged.
 *
 * The other side gets no event when a track is muted by the system (W3C Media Capture, 4.3.1), so this page cuts what
 * may not be sent, at once, and says so. While a phone call has the microphone, neither sound nor picture goes out.
 * The picture returns when its owner is back on the page, the sound when the microphone is given back.
 *
 * @import { Media } from './media.js'
 * @import { InterruptionCause, Kind } from './protocol.js'
 *
 * @typedef {'live' | 'muted' | 'ended' | 'none'} Condition  of a track
 * @typedef {object} Observed
 * @property {Condition} audio
 * @property {Condition} video
 * @property {boolean} taken  the browser says that something else has the audio session
 * @property {boolean} hidden  the page is not seen
 * @property {boolean} unplugged  a device that ended is not there any more
 * @typedef {{ cause: InterruptionCause, kinds: Kind[] }} Cause
 * @typedef {{ call: boolean, back: boolean, sending: Record<Kind, boolean>, interruption: Cause | null }} Verdict
 *   `call`: something else has the microphone; `back`: its owner has come back to the page since
 */

/** The other side is told of an end when it has lasted this long: browsers mute and unmute in flurries. */
const CALM_AFTER = 1000;
/** A track that stays silent on a page that is seen is taken anew after this time, and given up after as long again. */
const REOPEN_AFTER = 3000;

/** @type {Verdict} */
export const CALM = { call: false, back: false, sending: { audio: true, video: true }, interruption: null };

/**
 * What may be sent, and what the others are told.
 * @param {Verdict} before
 * @param {Observed} now
 * @param {boolean} [cameBack]  just now the page is seen again, or its owner asked for the picture
 * @returns {Verdict}
 */
export function judge(before, now, cameBack = false) {
  const call = now.taken || now.audio === 'muted';
  const back = call && before.call && (before.back || cameBack);
  const sending = { audio: now.audio === 'live' && !call, video: now.video === 'live' && (!call || back) };
  const kinds = /** @type {Kind[]} */ (['audio', 'video']).filter((kind) => now[kind] !== 'none' && !sending[kind]);
  return { call, back, sending, interruption: kinds.length ? { cause: causeOf(now, call), kinds } : null };
}

/** @param {Observed} now @param {boolean} call @returns {InterruptionCause} */
function causeOf({ audio, video, taken, hidden, unplugged }, call) {
  if (call) return taken ? 'audio-session' : 'os-mute';
  if (audio === 'ended' || video === 'ended') return unplugged ? 'device-lost' : 'ended';
  return hidden ? 'hidden' : 'os-mute';
}

/** Emits `change` when `verdict`, `told` or `stuck` is another. */
export class Interruption extends EventTarget {
  verdict = CALM;
  /** @type {Cause | null} what the others are told now */
  told = null;
  /** Nothing that script can do brings sound or picture back: the page must be loaded anew. */
  stuck = false;
  #media;
  #unplugged = false;
  #tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #calming;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #recovering;
  /** @type {Set<MediaStreamTrack>} */ #watched = new Set();
  #look = () => this.#judge();
  #visible = () => this.#judge(document.visibilityState === 'visible');
  #devices = () => void this.#devicesChanged(true);
  #ended = () => void this.#devicesChanged(false);

  /** @param {Media} media */
  constructor(media) {
    super();
    this.#media = media;
  }

  watch() {
    this.#media.addEventListener('change', this.#look);
    document.addEventListener('visibilitychange', this.#visible);
    audioSession()?.addEventListener('statechange', this.#look);
    navigator.mediaDevices?.addEventListener('devicechange', this.#devices);
    this.#judge();
  }

  stop() {
    this.#media.removeEventListener('change', this.#look);
    document.removeEventListener('visibilitychange', this.#visible);
    audioSession()?.removeEventListener('statechange', this.#look);
    navigator.mediaDevices?.removeEventListener('devicechange', this.#devices);
    for (const track of this.#watched) this.#unwatch(track);
    clearTimeout(this.#calming);
    clearTimeout(this.#recovering);
  }

  /** Its owner is on the page and wants to be seen, though the phone call goes on. */
  showPicture() {
    this.#judge(true);
  }

  /** @param {boolean} [cameBack] */
  #judge(cameBack = false) {
    this.#follow();
    const before = JSON.stringify(this.verdict);
    this.verdict = judge(this.verdict, this.#observe(), cameBack);
    this.#tell(this.verdict.interruption);
    if (cameBack) this.#tries = 0;
    if (cameBack || JSON.stringify(this.verdict) !== before) this.#recover();
    if (JSON.stringify(this.verdict) !== before) this.#changed();
  }

  /** @returns {Observed} */
  #observe() {
    const tracks = this.#media.stream?.getTracks() ?? [];
    /** @param {Kind} kind @returns {Condition} */
    const condition = (kind) => {
      const track = tracks.find((one) => one.kind === kind);
      if (!track) return 'none';
      return track.readyState === 'ended' ? 'ended' : track.muted ? 'muted' : 'live';
    };
    return {
      audio: condition('audio'),
      video: condition('video'),
      taken: audioSession()?.state === 'interrupted',
      hidden: document.visibilityState !== 'visible',
      unplugged: this.#unplugged,
    };
  }

  /** Hear of each track that there is now. */
  #follow() {
    const now = new Set(this.#media.stream?.getTracks());
    for (const track of this.#watched) if (!now.has(track)) this.#unwatch(track);
    for (const track of now) {
      if (this.#watched.has(track)) continue;
      this.#watched.add(track);
      for (const event of ['mute', 'unmute']) track.addEventListener(event, this.#look);
      track.addEventListener('ended', this.#ended);
    }
  }

  /** @param {MediaStreamTrack} track */
  #unwatch(track) {
    this.#watched.delete(track);
    for (const event of ['mute', 'unmute']) track.removeEventListener(event, this.#look);
    track.removeEventListener('ended', this.#ended);
  }

  /** @param {boolean} plugged  perhaps what was pulled out is back */
  async #devicesChanged(plugged) {
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    const there = new Set(devices.map((device) => device.deviceId));
    const ended = [...this.#watched].filter((track) => track.readyState === 'ended');
    this.#unplugged = ended.some((track) => !there.has(track.getSettings().deviceId ?? ''));
    if (plugged) for (const track of ended) await this.#media.reopen(/** @type {Kind} */ (track.kind));
    this.#judge();
  }

  /** A begin is told at once, an end when it lasts. @param {Cause | null} cause */
  #tell(cause) {
    clearTimeout(this.#calming);
    if (cause) this.#say(cause);
    else if (this.told) this.#calming = setTimeout(() => this.#say(null), CALM_AFTER);
  }

  /** @param {Cause | null} cause */
  #say(cause) {
    if (JSON.stringify(cause) === JSON.stringify(this.told)) return;
    this.told = cause;
    this.#changed();
  }

  /**
   * A system may forget to give a device back: take it anew, once; then only its owner can help. A microphone that a
   * phone call has is not asked for before its owner is back on the page.
   */
  #recover() {
    clearTimeout(this.#recovering);
    const { audio, video, taken, hidden } = this.#observe();
    const lame = /** @type {Kind[]} */ (['audio', 'video']).filter(
      (kind) => {
        const condition = { audio, video }[kind];
        return condition === 'ended' || (condition === 'muted' && (kind === 'video' || this.verdict.back));
      },
    );
    if (!lame.length) {
      this.#tries = 0;
      this.stuck = false;
      return;
    }
    if (hidden || taken) return;
    this.#recovering = setTimeout(async () => {
      this.#tries++;
      if (this.#tries > 1) {
        this.stuck = true;
        this.#changed();
        return;
      }
      for (const kind of lame) await this.#media.reopen(kind);
      this.#judge();
      this.#recover();
    }, REOPEN_AFTER);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** W3C Audio Session, where a browser has it. @returns {(EventTarget & { state: string }) | undefined} */
function audioSession() {
  return /** @type {any} */ (navigator).audioSession;
}
