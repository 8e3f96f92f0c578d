/** Soft notes, one after the other: somebody has come, is let in, or tries the loudspeaker. */

/**
 * Resolves when they have been played. Silent where the browser wants a click first.
 * @param {number[]} frequencies  Hz
 * @param {number} every  seconds from one note to the next
 * @param {number} loudness  0 to 1
 */
export async function playNotes(frequencies, every, loudness) {
  const context = new AudioContext();
  void context.resume();
  frequencies.forEach((frequency, i) => {
    const begin = context.currentTime + every * i;
    const source = context.createOscillator();
    const volume = context.createGain();
    source.frequency.value = frequency;
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(loudness, begin + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.6);
    source.connect(volume).connect(context.destination);
    source.start(begin);
    source.stop(begin + 0.65);
  });
  await new Promise((resolve) => setTimeout(resolve, 1000 * (every * frequencies.length + 0.45)));
  await context.close();
}
