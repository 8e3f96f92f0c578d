/**
 * Sharing one's own screen: begun by a click, ended by a button of ours, by the browser's own, or with the visit.
 */

/** Whether this browser can; phones cannot. */
export function canShareScreen() {
  return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}

/** Emits `change` when it begins or ends. */
export class ScreenShare extends EventTarget {
  /** @type {MediaStreamTrack | null} */
  track = null;

  /** The browser asks which screen, window or tab. Whoever declines there has changed their mind: nothing happens. */
  async begin() {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false }).catch(() => null);
    const track = stream?.getVideoTracks()[0];
    if (!track) return;
    this.end();
    track.contentHint = 'detail';
    track.addEventListener('ended', () => this.track === track && this.#set(null));
    this.#set(track);
  }

  end() {
    const { track } = this;
    if (!track) return;
    track.stop();
    this.#set(null);
  }

  /** @param {MediaStreamTrack | null} track */
  #set(track) {
    this.track = track;
    this.dispatchEvent(new Event('change'));
  }
}
