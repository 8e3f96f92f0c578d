/**
 * Telling a practice that somebody has come: a soft sound, and a number in the title of the window.
 */

import { playNotes } from '../notes.js';

/** Two soft notes. Without a sound device the list and the title tell it too. */
export const chime = () => void playNotes([587, 784], 0.18, 0.08).catch(() => {});

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
