/**
 * Camera and microphone: one stream per page, asked for once.
 *
 * @typedef {'refused' | 'dismissed' | 'no-device' | 'busy' | 'insecure' | 'unsupported' | 'embedding-forbids'} FailureReason
 * @typedef {{ camera: boolean, microphone: boolean }} Wanted
 */

/** Camera and microphone cannot be had; `media.failure.<reason>` is the help text. */
export class MediaFailure extends Error {
  /** @param {FailureReason} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' };

/**
 * Why a browser cannot do a video visit at all, before anything is asked; null when it can.
 * @returns {'insecure' | 'unsupported' | null}
 */
export function unsupported() {
  if (!globalThis.isSecureContext) return 'insecure';
  return 'RTCPeerConnection' in globalThis && navigator.mediaDevices ? null : 'unsupported';
}

/**
 * Whether the page around ours keeps camera or microphone from us.
 * @param {'camera' | 'microphone'} feature
 */
function embeddingForbids(feature) {
  const { featurePolicy, permissionsPolicy } = /** @type {any} */ (document);
  return (permissionsPolicy ?? featurePolicy)?.allowsFeature(feature) === false;
}

/**
 * What a failed getUserMedia means.
 * @param {unknown} error
 * @returns {FailureReason}
 */
export function reasonOf(error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  switch (name) {
    case 'NotAllowedError':
      return /dismiss/i.test(message) ? 'dismissed' : 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no-device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    case 'SecurityError':
      return 'refused';
    default:
      return 'unsupported';
  }
}

/** Emits `change` when a device comes, goes, or is switched. */
export class Media extends EventTarget {
  /** @type {MediaStream | null} */
  stream = null;
  #on = { microphone: true, camera: true };
  /** @type {AudioContext | null} */ #context = null;
  /** @type {AnalyserNode | null} */ #analyser = null;
  /** @type {WakeLockSentinel | null} */ #lock = null;
  #awake = false;
  #visible = () => void this.#hold();

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
    if (!audio || !this.stream) return 0;
    if (!this.#analyser) {
      this.#context = new AudioContext();
      this.#analyser = this.#context.createAnalyser();
      this.#analyser.fftSize = 1024;
      this.#context.createMediaStreamSource(new MediaStream([audio])).connect(this.#analyser);
    }
    if (this.#context?.state === 'suspended') void this.#context.resume();
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    return Math.min(1, 4 * Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length));
  }

  /** The meter is not needed any more. */
  closeMeter() {
    void this.#context?.close();
    this.#context = this.#analyser = null;
  }

  /** Keep the screen on, as long as the page is seen. */
  stayAwake() {
    if (this.#awake) return;
    this.#awake = true;
    document.addEventListener('visibilitychange', this.#visible);
    void this.#hold();
  }

  /** Give everything back: lights out. */
  close() {
    this.#awake = false;
    document.removeEventListener('visibilitychange', this.#visible);
    void this.#lock?.release();
    this.#lock = null;
    this.closeMeter();
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

  async #hold() {
    if (!this.#awake || document.visibilityState !== 'visible' || !navigator.wakeLock) return;
    const lock = await navigator.wakeLock.request('screen').catch(() => null);
    if (this.#awake) this.#lock = lock;
    else void lock?.release();
  }
}

/** @param {Wanted} wanted */
function ask({ camera, microphone }) {
  return navigator.mediaDevices.getUserMedia({ audio: microphone && AUDIO, video: camera && VIDEO });
}
