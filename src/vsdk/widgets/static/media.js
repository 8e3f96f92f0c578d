/**
 * Camera and microphone: one stream per page, asked for once.
 *
 * @import { FailureReason } from './media-failure.js'
 * @typedef {{ camera: boolean, microphone: boolean }} Wanted
 */

import { MediaFailure, embeddingForbids, reasonOf, unsupported } from './media-failure.js';
import { prefer, preferences } from './preferences.js';
import { SoundMeter } from './sound-meter.js';

const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' };

/** Emits `change` when a device comes, goes, or is switched. */
export class Media extends EventTarget {
  /** @type {MediaStream | null} */
  stream = null;
  #on = { microphone: true, camera: true };

  /** What its owner wants to be on, there or not. */
  get wanted() {
    return { ...this.#on };
  }
  #meter = new SoundMeter();

  /** @returns {{ audio: MediaStreamTrack | null, video: MediaStreamTrack | null }} */
  get tracks() {
    const live = (this.stream?.getTracks() ?? []).filter((track) => track.readyState === 'live');
    return {
      audio: live.find((track) => track.kind === 'audio') ?? null,
      video: live.find((track) => track.kind === 'video') ?? null,
    };
  }

  /** What is there and switched on. */
  get switches() {
    const { audio, video } = this.tracks;
    return { microphone: audio !== null && this.#on.microphone, camera: video !== null && this.#on.camera };
  }

  /**
   * Ask for camera and microphone. Where one of them is missing or in use, the other is taken alone.
   * @param {Wanted} [wanted]
   * @throws {MediaFailure}
   */
  async open(wanted = { camera: true, microphone: true }) {
    const cannot = unsupported();
    if (cannot) throw new MediaFailure(cannot);
    const kinds = /** @type {('camera' | 'microphone')[]} */ (Object.keys(wanted).filter((kind) => wanted[/** @type {keyof Wanted} */ (kind)]));
    if (kinds.every(embeddingForbids)) throw new MediaFailure('embedding-forbids');
    this.#stopTracks();
    try {
      this.#take(await ask(wanted));
    } catch (error) {
      const reason = reasonOf(error);
      const alone = wanted.camera && wanted.microphone && (reason === 'no-device' || reason === 'busy');
      if (!alone) throw new MediaFailure(reason);
      this.#take(await this.#eitherAlone(reason));
    }
  }

  /**
   * Take a device in addition, or anew in place of a track that does not recover. What is there stays where that fails.
   * @param {'audio' | 'video'} kind
   * @returns {Promise<FailureReason | null>}  why it failed
   */
  async reopen(kind) {
    const { stream } = this;
    if (!stream) return null;
    let fresh;
    try {
      fresh = await ask({ camera: kind === 'video', microphone: kind === 'audio' });
    } catch (error) {
      return reasonOf(error);
    }
    if (this.stream !== stream) {
      for (const track of fresh.getTracks()) track.stop();
      return null;
    }
    for (const old of stream.getTracks().filter((track) => track.kind === kind)) {
      old.stop();
      stream.removeTrack(old);
    }
    if (kind === 'audio') this.closeMeter();
    for (const track of fresh.getTracks()) stream.addTrack(track);
    this.#take(stream);
    return null;
  }

  /**
   * Take this camera or microphone in place of the one that is there. Where it cannot be had, the other is taken back.
   * @param {'camera' | 'microphone'} device
   * @param {string} id  its `deviceId`
   * @returns {Promise<FailureReason | null>}  why it failed
   */
  async use(device, id) {
    const before = preferences()[device];
    const kind = device === 'camera' ? 'video' : 'audio';
    prefer({ [device]: id });
    this.tracks[kind]?.stop(); // many phones open one camera at a time
    const failure = await this.reopen(kind);
    if (failure) {
      prefer({ [device]: before });
      await this.reopen(kind);
      this.#changed();
    }
    return failure;
  }

  /** Whether the browser itself can blur the background of this camera's picture (W3C Media Capture Extensions, 5). */
  get canBlur() {
    const able = /** @type {any} */ (this.tracks.video?.getCapabilities?.());
    return able?.backgroundBlur?.includes?.(true) ?? false;
  }

  /** @param {boolean} on */
  async blur(on) {
    prefer({ blur: on });
    if (this.canBlur) await this.tracks.video?.applyConstraints(/** @type {any} */ ({ backgroundBlur: on })).catch(() => {});
  }

  /** Before it is opened. @param {Wanted} wanted */
  want(wanted) {
    this.#on = { ...wanted };
  }

  /** @param {boolean} on */
  setMicrophone(on) {
    this.#switch('microphone', on);
  }

  /** @param {boolean} on */
  setCamera(on) {
    this.#switch('camera', on);
  }

  /** How loud the microphone is, from 0 to 1. Needs a click on the page before the first call. */
  level() {
    const { audio } = this.tracks;
    return audio ? this.#meter.level(audio) : 0;
  }

  /** The meter is not needed any more. */
  closeMeter() {
    this.#meter.close();
  }

  /** Give everything back: lights out. */
  close() {
    this.#stopTracks();
  }

  /** @param {FailureReason} reason */
  async #eitherAlone(reason) {
    for (const wanted of [{ camera: false, microphone: true }, { camera: true, microphone: false }]) {
      const stream = await ask(wanted).catch(() => null);
      if (stream) return stream;
    }
    throw new MediaFailure(reason);
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    this.stream = stream;
    for (const track of stream.getTracks()) track.addEventListener('ended', () => this.#changed());
    if (preferences().blur) void this.blur(true);
    this.#switch('microphone', this.#on.microphone);
    this.#switch('camera', this.#on.camera);
  }

  /** @param {'microphone' | 'camera'} kind @param {boolean} on */
  #switch(kind, on) {
    this.#on[kind] = on;
    const track = kind === 'microphone' ? this.tracks.audio : this.tracks.video;
    if (track) track.enabled = on;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #stopTracks() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.closeMeter();
  }
}

/** A camera or microphone that was chosen once, and is not there any more, is no obstacle. @param {Wanted} wanted */
async function ask(wanted) {
  try {
    return await get(wanted, preferences());
  } catch (error) {
    if (/** @type {Error} */ (error).name !== 'OverconstrainedError') throw error;
    return get(wanted, { camera: '', microphone: '' });
  }
}

/** @param {Wanted} wanted @param {{ camera: string, microphone: string }} chosen */
function get({ camera, microphone }, chosen) {
  const { facingMode, ...size } = VIDEO;
  const audio = chosen.microphone ? { ...AUDIO, deviceId: { exact: chosen.microphone } } : AUDIO;
  const video = chosen.camera ? { ...size, deviceId: { exact: chosen.camera } } : { ...size, facingMode };
  return navigator.mediaDevices.getUserMedia({ audio: microphone && audio, video: camera && video });
}
