/**
 * The screen stays on, as long as the page is seen (W3C Screen Wake Lock). A hidden page loses the lock and asks
 * again when it is back. Where a browser has no lock, or refuses it, a silent film plays: a screen stays on for films.
 *
 * Emits `change` when `means` is another.
 */
export class WakeLock extends EventTarget {
  /** @type {'' | 'lock' | 'film' | 'none'} what keeps the screen on; empty while nothing is wanted or known */
  means = '';
  /** @type {WakeLockSentinel | null} */ #lock = null;
  /** @type {HTMLVideoElement | null} */ #film = null;
  #wanted = false;
  #visible = () => void this.#hold();

  hold() {
    if (this.#wanted) return;
    this.#wanted = true;
    document.addEventListener('visibilitychange', this.#visible);
    void this.#hold();
  }

  release() {
    this.#wanted = false;
    document.removeEventListener('visibilitychange', this.#visible);
    void this.#lock?.release();
    this.#lock = null;
    this.#film?.remove();
    this.#film = null;
    this.means = '';
  }

  async #hold() {
    if (!this.#wanted || document.visibilityState !== 'visible') return;
    const lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
    if (!this.#wanted) {
      void lock?.release();
      return;
    }
    this.#lock = lock;
    this.#say(lock ? 'lock' : (await this.#play()) ? 'film' : 'none');
  }

  /** @param {'lock' | 'film' | 'none'} means */
  #say(means) {
    if (!this.#wanted || means === this.means) return;
    this.means = means;
    this.dispatchEvent(new Event('change'));
  }

  /** One dark pixel in a corner, once a second. */
  async #play() {
    const film = this.#film ?? document.createElement('video');
    if (!this.#film) {
      const canvas = document.createElement('canvas');
      canvas.getContext('2d');
      film.muted = film.playsInline = true;
      film.srcObject = canvas.captureStream(1);
      film.setAttribute('aria-hidden', 'true');
      Object.assign(film.style, { position: 'fixed', insetBlockEnd: '0', inlineSize: '1px', blockSize: '1px', opacity: '0.01' });
      document.body.append(film);
      this.#film = film;
    }
    return film.play().then(
      () => true,
      () => false,
    );
  }
}
