/**
 * Telling a practice that somebody has come: a soft sound, and a number in the title of the window.
 */

const TONES = [
  { hertz: 587, at: 0 },
  { hertz: 784, at: 0.18 },
];

/** Two soft notes, half a second. Silent where the browser wants a click first. */
export function chime() {
  try {
    const audio = new AudioContext();
    for (const { hertz, at } of TONES) {
      const start = audio.currentTime + at;
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.08, start + 0.03);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.45);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.5);
    }
    setTimeout(() => void audio.close(), 1000);
  } catch {
    // No sound device: the list and the title tell it too.
  }
}

/** "(2) Title": how many are waiting. 0 gives the plain title back. @param {number} waiting */
export function countInTitle(waiting) {
  const plain = document.title.replace(/^\(\d+\) /, '');
  document.title = waiting > 0 ? `(${waiting}) ${plain}` : plain;
}

/**
 * Who waits now, as "visit/participant".
 *
 * @param {import('../protocol.js').Entry[]} entries
 * @returns {Map<string, string>} to the person's name
 */
export function whoWaits(entries) {
  const waiting = new Map();
  for (const { visit, people } of entries) {
    for (const person of people) if (person.waiting) waiting.set(`${visit}/${person.participant}`, person.name);
  }
  return waiting;
}
