/** Ending a visit from the list puts a waiting person out, so it asks first. */

import { h } from '../ui/element.js';

/**
 * A dialog to be put into the page and shown.
 *
 * @param {import('../protocol.js').Entry} entry
 * @param {import('../ui/texts.js').Translate} t
 * @param {() => void} end
 */
export function endDialog(entry, t, end) {
  const waiting = entry.people.filter((person) => person.waiting);
  const name = waiting.map((person) => person.name).join(', ');
  return h(
    'dialog',
    { 'aria-labelledby': 'end-title' },
    h(
      'form',
      { method: 'dialog', class: 'stack' },
      h('h2', { id: 'end-title', text: t('practice.end-title') }),
      h('p', { text: t('practice.end-text', { name }) }),
      h(
        'div',
        { class: 'buttons' },
        h('button', { class: 'danger', text: t('practice.end-yes'), on: { click: end } }),
        h('button', { autofocus: true, text: t('practice.end-no') }),
      ),
    ),
  );
}
