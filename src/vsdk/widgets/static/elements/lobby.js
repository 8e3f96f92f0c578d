/**
 * A practitioner who has opened a visit in which nobody has been let in yet: who waits, and the button.
 *
 * @import { Person } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';
import { checkLine } from './check-line.js';
import { step } from './join-steps.js';

/** @param {VsdkElement} host @param {Person[]} people @param {(participant: string) => void} admit */
export function lobbyStep(host, people, admit) {
  const waiting = people.filter((person) => person.waiting && person.present);
  return step(
    h('h2', { text: host.t('visit.lobby.title') }),
    waiting.length === 0 && h('p', { class: 'lead', text: host.t('visit.lobby.nobody') }),
    ...waiting.map((person) =>
      h(
        'div',
        { class: 'card stack' },
        h('p', { class: 'lead', text: host.t('visit.lobby.waits', { name: person.name }) }),
        checkLine(person, host.t.bind(host)),
        h('button', {
          class: 'primary',
          text: host.t('visit.lobby.admit'),
          on: { click: () => admit(person.participant) },
        }),
      ),
    ),
  );
}
