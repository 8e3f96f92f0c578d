/** How loud a track is. */
export class SoundMeter {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {AnalyserNode | null} */ #analyser = null;

  /** From 0 to 1. Needs a click on the page before the first call. @param {MediaStreamTrack} audio */
  level(audio) {
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

  close() {
    void this.#context?.close();
    this.#context = this.#analyser = null;
  }
}
