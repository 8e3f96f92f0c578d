/**
 * The rows of the practice's list: pure drawing, from an entry of `queue` to elements.
 *
 * @import { Entry, Person } from '../protocol.js'
 * @import { Translate } from '../ui/texts.js'
 *
 * What a row can ask for.
 * @typedef {object} Actions
 * @property {(visit: string, person: Person) => void} admit
 * @property {(visit: string) => void} open
 * @property {(visit: string, person: Person) => void} invite
 * @property {(what: 'end' | 'messages' | 'delay', entry: Entry) => void} ask  opens that dialog
 *
 * @typedef {object} Drawing
 * @property {Translate} t
 * @property {string} lang
 * @property {string} [zone]  the practice's time zone, an IANA name; without it the browser's own
 * @property {string | null} openVisit  the visit that is open in this element
 * @property {number} now  milliseconds
 * @property {ReadonlySet<string>} may  capabilities of whoever looks at the list
 * @property {Actions} actions
 */

import { look, progress, reason, what, when } from '../message-words.js';
import { clock, later } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { checkLine, status } from './check-line.js';
import { kindOf } from './interruption-cards.js';

const HERE = new Set(['waiting', 'admitted', 'in-progress']);
const RUNNING = new Set(['admitted', 'in-progress']);
const MAY_BE_LATE = new Set(['planned', 'waiting']);

/**
 * Which part of the list an entry belongs to. The list reaches into tomorrow.
 *
 * @param {Entry} entry
 * @param {number} now  milliseconds
 * @param {string} [zone]  IANA name; without it the browser's own
 * @returns {'here' | 'planned' | 'later' | 'over'}
 */
export function part(entry, now, zone) {
  if (HERE.has(entry.state)) return 'here';
  if (entry.state !== 'planned') return 'over';
  const start = Date.parse(entry.start);
  return start < now || date(start, zone) === date(now, zone) ? 'planned' : 'later';
}

/** @param {number} time milliseconds @param {string} [zone] */
function date(time, zone) {
  return new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: zone }).format(time);
}

/** Always 24 hours, one width. @param {string} time RFC 3339 @param {string} lang @param {string} [zone] IANA name */
export function hoursAndMinutes(time, lang, zone) {
  const format = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone };
  return new Intl.DateTimeFormat(lang, /** @type {Intl.DateTimeFormatOptions} */ (format)).format(new Date(time));
}

/** @param {string} since RFC 3339 @param {number} now @param {Translate} t */
export function waited(since, now, t) {
  const minutes = Math.floor((now - Date.parse(since)) / 60_000);
  return minutes < 1 ? t('practice.waiting-just-now') : t('practice.waiting-minutes', { minutes });
}

/** Waiting times grow while nothing else changes. @param {ParentNode} list @param {number} now @param {Translate} t */
export function refreshWaits(list, now, t) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('[data-since]'))) {
    const text = waited(element.dataset.since ?? '', now, t);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** Whom a visit is with, without those of the practice. @param {Entry} entry */
function visitors(entry) {
  const others = entry.people.filter((person) => person.role !== 'practitioner' && person.role !== 'staff');
  return others.length ? others : entry.people;
}

/** Their names, in one line. @param {Entry} entry @param {Translate} t */
export function names(entry, t) {
  return visitors(entry)
    .map((person) => person.name || t(`practice.role-${person.role}`))
    .join(', ');
}

/** One row. @param {Entry} entry @param {Drawing} drawing */
export function row(entry, drawing) {
  const { t, lang } = drawing;
  const people = visitors(entry);
  const isOpen = entry.visit === drawing.openVisit;
  return h(
    'li',
    { class: `row card ${part(entry, drawing.now, drawing.zone)}${isOpen ? ' open' : ''}`, part: 'row', 'data-visit': entry.visit },
    h('time', { class: 'when', datetime: entry.start, text: hoursAndMinutes(entry.start, lang, drawing.zone) }),
    h(
      'div',
      { class: 'who' },
      ...people.map((person, place) =>
        h(
          'div',
          { class: 'person' },
          h('div', { class: 'about' }, ...about(person, entry, drawing), ...(place === 0 ? entryLines(entry, drawing) : [])),
          h('div', { class: 'actions' }, ...personActions(person, entry, drawing), ...(place === 0 ? rowActions(entry, people, drawing) : [])),
        ),
      ),
      messageLine(entry, drawing),
    ),
  );
}

/** What was sent last, or what went wrong; it leads to all messages. @param {Entry} entry @param {Drawing} drawing */
function messageLine(entry, { t, lang, zone, now, actions }) {
  const sent = entry.messages;
  if (!sent || (!sent.total && part(entry, now, zone) === 'over')) return null;
  const { latest, problem } = sent;
  const { grade, icon: sign } = problem ? look('failed') : latest ? look(latest.state) : look('queued');
  const words = problem
    ? reason(problem, t)
    : latest
      ? [what(latest.template, t), progress(latest.state, t), when(latest.at, now, lang, zone)].join(' · ')
      : t('practice.messages-none');
  return h(
    'button',
    {
      type: 'button',
      class: `line small ${problem ? 'bad' : ''}`,
      'data-key': `${entry.visit}/messages`,
      'aria-label': t('practice.messages-open', { words, name: names(entry, t) }),
      on: { click: () => actions.ask('messages', entry) },
    },
    h('span', { class: `status ${grade}` }, icon(latest || problem ? sign : 'message'), h('span', { text: words })),
    icon('chevron'),
  );
}

/** Name, role, how long they wait and with what. @param {Person} person @param {Entry} entry @param {Drawing} drawing */
function about(person, entry, { t, lang, zone, now }) {
  const role = t(`practice.role-${person.role}`);
  const lines = [h('h4', { text: person.name || role })];
  if (person.name && person.role !== 'patient') lines.push(h('p', { class: 'small muted', text: role }));
  if (person.waiting) {
    const since = person.since ?? entry.waiting_since ?? entry.start;
    const text = h('span', { 'data-since': since, text: waited(since, now, t) });
    lines.push(h('p', { class: 'status' }, icon('clock'), text), checkLine(person, t));
  }
  if (person.interruption) {
    const time = clock(person.interruption.since, lang, zone);
    const text = t(`interruption.row-${kindOf(person.interruption)}`, { time });
    lines.push(h('p', { class: 'status fair' }, icon('warning'), text));
  }
  return lines;
}

/** @param {Entry} entry @param {Drawing} drawing */
function entryLines(entry, drawing) {
  const code = entry.not_written_back;
  const failed = code ? h('p', { class: 'checks' }, status('fair', drawing.t('practice.not-written-back', { code }))) : null;
  const asked = entry.cancellation_asked
    ? h('p', { class: 'checks' }, status('fair', drawing.t('practice.cancellation-asked')))
    : null;
  return [stateLine(entry, drawing), delayLine(entry, drawing), asked, failed];
}

/** @param {Entry} entry @param {Drawing} drawing */
function delayLine(entry, { t, lang, zone }) {
  const minutes = entry.delay_minutes;
  if (!minutes || !MAY_BE_LATE.has(entry.state)) return null;
  const time = hoursAndMinutes(later(entry.start, minutes), lang, zone);
  return h('p', { class: 'status small fair' }, icon('clock'), h('span', { text: t('practice.delay-line', { minutes, time }) }));
}

/** The state in words; whoever waits already says so. @param {Entry} entry @param {Drawing} drawing */
function stateLine(entry, { t, lang, zone, openVisit }) {
  if (entry.state === 'waiting' || entry.state === 'planned') return null;
  const words = [t(`practice.state-${entry.state}`)];
  if (entry.visit === openVisit) words[0] = t('practice.state-open-here');
  if (entry.state === 'ended' && entry.come_back_until) {
    words.push(t('practice.come-back-until', { time: hoursAndMinutes(entry.come_back_until, lang, zone) }));
  }
  return h('p', { class: 'small muted', text: words.join(' · ') });
}

/**
 * @param {string} key  names the button, so that it keeps the focus when the list is drawn again
 * @param {string} look
 * @param {string} text
 * @param {string} spoken  the same, with a name
 * @param {() => void} click
 */
function action(key, look, text, spoken, click) {
  return h('button', { type: 'button', class: look, 'data-key': key, 'aria-label': spoken, text, on: { click } });
}

/** @param {Person} person @param {Entry} entry @param {Drawing} drawing */
function personActions(person, { visit, state }, { t, openVisit, may, actions }) {
  const { name } = person;
  const key = `${visit}/${person.participant}`;
  if (!may.has('admit')) return [];
  if (person.waiting && (openVisit === null || openVisit === visit)) {
    const spoken = t('practice.admit-name', { name });
    return [action(`${key}/admit`, 'primary', t('practice.admit'), spoken, () => actions.admit(visit, person))];
  }
  if (state === 'ended' && person.role === 'patient') {
    const spoken = t('practice.invite-name', { name });
    return [action(`${key}/invite`, '', t('practice.invite'), spoken, () => actions.invite(visit, person))];
  }
  return [];
}

/** @param {Entry} entry @param {Person[]} people @param {Drawing} drawing */
function rowActions(entry, people, { t, openVisit, now, zone, may, actions }) {
  const name = people.map((person) => person.name).join(', ');
  const late = MAY_BE_LATE.has(entry.state) && part(entry, now, zone) !== 'later' && entry.visit !== openVisit;
  const delay = late
    ? [action(`${entry.visit}/delay`, 'quiet', t('practice.delay'), t('practice.delay-name', { name }), () => actions.ask('delay', entry))]
    : [];
  if (openVisit !== null || !may.has('talk')) return delay;
  if (RUNNING.has(entry.state)) {
    const spoken = t('practice.open-name', { name });
    return [action(`${entry.visit}/open`, '', t('practice.open'), spoken, () => actions.open(entry.visit))];
  }
  if (entry.state !== 'waiting') return delay;
  const spoken = t('practice.end-name', { name });
  const write = action(`${entry.visit}/write`, 'quiet', t('practice.write'), t('practice.write-name', { name }), () => actions.open(entry.visit));
  const end = action(`${entry.visit}/end`, 'quiet', t('practice.end'), spoken, () => actions.ask('end', entry));
  return [write, ...delay, end];
}
