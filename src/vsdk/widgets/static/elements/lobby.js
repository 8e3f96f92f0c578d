/**
 * A practitioner who has opened a visit in which nobody has been let in yet: who waits, and the button. What changes
 * about somebody who waits leaves their button where it is: a finger may be on it.
 *
 * @import { Entry, Person } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 * @import { VisitConnection } from '../visit.js'
 *
 * @typedef {{ node: HTMLElement, check: HTMLElement }} Card
 */

import { clock, later } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { ChatFold } from './chat-fold.js';
import { checkLine } from './check-line.js';
import { step } from './join-steps.js';

/** Minutes past the planned time that the other side is waited for. */
const PATIENCE = 10;

export class Lobby {
  #host;
  #connection;
  #zone;
  #nobody;
  #people = h('div', { class: 'stack' });
  #chat;
  /** @type {Map<string, Card>} by participant */ #cards = new Map();

  /** @param {VsdkElement} host @param {VisitConnection} connection @param {() => void} leave @param {string} [zone] */
  constructor(host, connection, leave, zone) {
    this.#host = host;
    this.#connection = connection;
    this.#zone = zone;
    this.#chat = new ChatFold(host, connection, 'chat.to-waiting', zone);
    this.#nobody = h('p', { class: 'lead', text: host.t('visit.lobby.nobody') });
    this.#chat.node.open = true;
    const back = h('button', { class: 'quiet', on: { click: leave } }, icon('door'), host.t('visit.lobby.leave'));
    this.node = step(h('h2', { text: host.t('visit.lobby.title') }), this.#nobody, this.#people, this.#chat.node, h('div', {}, back));
  }

  /** @param {Entry | null} entry  the visit as the practice sees it */
  update(entry) {
    const people = entry?.people ?? [];
    const waiting = people.filter((person) => person.waiting && person.present);
    for (const [participant, { node }] of this.#cards) {
      if (waiting.some((person) => person.participant === participant)) continue;
      node.remove();
      this.#cards.delete(participant);
    }
    for (const person of waiting) {
      const check = checkLine(person, this.#host.t.bind(this.#host));
      const card = this.#cards.get(person.participant) ?? this.#arrived(person, check);
      if (card.check !== check) card.check.replaceWith(check);
      card.check = check;
    }
    this.#nobody.hidden = waiting.length > 0;
    this.#showPatience(entry);
    this.#people.hidden = waiting.length === 0;
    this.#chat.node.hidden = waiting.length === 0 && !this.#connection.chat?.messages.length;
    this.#chat.update();
  }

  /** Whoever comes late is still expected (M6): until when, once the time has passed. @param {Entry | null} entry */
  #showPatience(entry) {
    const start = entry ? Date.parse(later(entry.start, entry.delay_minutes ?? 0)) : 0;
    const until = new Date(start + PATIENCE * 60_000).toISOString();
    const late = entry !== null && Date.now() > start && Date.now() < Date.parse(until);
    const time = clock(until, this.#host.lang, this.#zone);
    const words = this.#host.t(late ? 'visit.lobby.patience' : 'visit.lobby.nobody', { time });
    if (this.#nobody.textContent !== words) this.#nobody.textContent = words;
  }

  /** @param {Person} person @param {HTMLElement} check @returns {Card} */
  #arrived({ participant, name }, check) {
    const waits = this.#host.t('visit.lobby.waits', { name });
    const admit = h('button', {
      class: 'primary',
      text: this.#host.t('visit.lobby.admit'),
      on: { click: () => this.#connection.admit(participant) },
    });
    const node = h('div', { class: 'card stack' }, h('p', { class: 'lead', text: waits }), check, admit);
    this.#people.append(node);
    this.#host.announce(waits);
    const card = { node, check };
    this.#cards.set(participant, card);
    return card;
  }
}
