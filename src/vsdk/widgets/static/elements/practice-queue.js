/**
 * `<vsdk-practice-queue server practice lang grant? signalling? code? practice-name? time-zone?>`: today's visits of
 * a practice, who waits on top. `time-zone` (IANA name) is the practice's; without it the browser's own counts.
 *
 * Without `grant` it asks for the access code of the practice (or takes the attribute `code`). Admitting someone
 * puts `<vsdk-video-visit>` beside the list; its event `vsdk-visit-ended` brings the list back.
 *
 * @import { BrowserMessage, Entry, Person, ServerMessage } from '../protocol.js'
 * @import { SignallingState } from '../signalling.js'
 * @import { Access } from './practice-access.js'
 */

import { Problem, signallingAddress } from '../api.js';
import { Signalling, newSeat } from '../signalling.js';
import { day } from '../times.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { remember, remembered, signIn, visitGrant } from './practice-access.js';
import { chime, countInTitle, whoWaits } from './practice-arrival.js';
import { endDialog } from './practice-end.js';
import { hoursAndMinutes, part, refreshWaits, row } from './practice-rows.js';
import { problemText, signInForm } from './practice-sign-in.js';
import { practiceSheet } from './practice-styles.js';

const REFRESH_EVERY = 20_000;
/** A connection that is back within this time was never worth a word. */
const SAY_LOST_AFTER = 1500;
/** Errors that come just before the server closes the connection; the close code tells the same. */
const SAID_BY_CLOSING = new Set(['taken-over', 'grant-expired', 'grant-invalid']);
const PARTS = /** @type {const} */ (['here', 'planned', 'later', 'over']);
/** These are left out when they are empty. */
const OPTIONAL = new Set(['later', 'over']);

/** The error code that explains a failed request. @param {unknown} error */
function codeOf(error) {
  return error instanceof Problem ? error.code : 'offline';
}

export class PracticeQueue extends VsdkElement {
  static sheets = [practiceSheet];
  static observedAttributes = ['code', 'grant'];

  /** @type {Access | null} */ #access = null;
  /** @type {Signalling | null} */ #signalling = null;
  /** @type {Entry[] | null} */ #entries = null;
  /** @type {Map<string, string> | null} */ #waiting = null;
  /** @type {string | null} */ #openVisit = null;
  /** @type {Map<string, { drawn: string, element: HTMLElement }>} */ #rows = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #lost;
  #code = '';
  #started = false;
  #failure = '';
  #seat = newSeat();
  #actions = {
    /** @param {string} visit @param {Person} person */
    admit: (visit, person) => this.#admit(visit, person),
    /** @param {string} visit */
    open: (visit) => void this.#open(visit),
    /** @param {string} visit @param {Person} person */
    invite: (visit, person) => {
      this.#tell({ type: 'invite', visit, participant: person.participant });
      this.announce(this.t('practice.invited', { name: person.name }));
    },
    /** @param {Entry} entry */
    end: (entry) => {
      const dialog = endDialog(entry, this.t.bind(this), () => this.#tell({ type: 'close', visit: entry.visit }));
      this.shadowRoot?.append(dialog);
      dialog.showModal();
    },
  };

  #connection = h('div');
  #problem = h('div');
  #lists = h('div');
  #date = h('p', { class: 'muted' });
  #heading = h('h2');
  #signOutButton = h('button', { type: 'button', class: 'quiet sign-out', on: { click: () => this.#signOut() } });
  #list = h(
    'section',
    { class: 'list', part: 'list', id: 'list' },
    h('div', { class: 'head' }, h('div', {}, this.#heading, this.#date), this.#signOutButton),
    h('div', { class: 'notices', role: 'status' }, this.#connection, this.#problem),
    this.#lists,
  );
  #toggleText = h('span');
  #toggle = h(
    'button',
    { type: 'button', class: 'toggle', 'aria-expanded': 'false', 'aria-controls': 'list', on: { click: () => this.#peek() } },
    this.#toggleText,
    icon('chevron'),
  );
  #visit = h('section', { class: 'visit', part: 'visit' });
  #layout = h('div', { class: 'layout' }, this.#toggle, this.#list, this.#visit);

  get #practice() {
    return this.getAttribute('practice') ?? '';
  }

  get #zone() {
    return this.getAttribute('time-zone') ?? undefined;
  }

  /** @param {'access' | 'visit'} what */
  #name(what) {
    return `vsdk-${what}:${this.server}:${this.#practice}`;
  }

  async start() {
    this.#started = true;
    this.#timer = setInterval(() => refreshWaits(this.#lists, Date.now(), this.t.bind(this)), REFRESH_EVERY);
    const grant = this.getAttribute('grant');
    const kept = remembered(this.#name('access'));
    if (grant) return this.#enter({ grant, signalling: this.getAttribute('signalling') ?? undefined });
    if (kept) return this.#enter(JSON.parse(kept));
    return this.#signInWith(this.getAttribute('code') ?? '');
  }

  stop() {
    this.#started = false;
    clearInterval(this.#timer);
    this.#disconnect();
    countInTitle(0);
  }

  /** @param {string} name @param {string | null} _old @param {string | null} value */
  attributeChangedCallback(name, _old, value) {
    if (!this.#started || !value) return;
    if (name === 'code' && !this.#access) void this.#signInWith(value);
    if (name === 'grant' && this.#access) this.#access.grant = value;
    else if (name === 'grant') void this.#enter({ grant: value });
  }

  /** An empty code shows the form. @param {string} code */
  async #signInWith(code) {
    let problem = '';
    if (code) {
      try {
        const access = await signIn(this.server, this.#practice, code);
        this.#code = code;
        remember(this.#name('access'), JSON.stringify(access));
        return await this.#enter(access);
      } catch (error) {
        problem = codeOf(error);
      }
    }
    this.#askForCode(problem);
  }

  /** @param {string} problem */
  #askForCode(problem) {
    if (this.hasAttribute('grant')) {
      this.show(h('div', { class: 'step' }, h('h2', { text: this.t('practice.title') }), this.#notice('bad', problem)));
      return;
    }
    const name = this.getAttribute('practice-name') ?? '';
    this.show(signInForm(name, problem, this.t.bind(this), (code) => this.#signInWith(code)));
    if (problem) this.shadowRoot?.querySelector('input')?.focus();
  }

  /** Shows the list and connects. @param {Access} access */
  async #enter(access) {
    this.#access = access;
    this.#heading.textContent = access.practice?.name || this.getAttribute('practice-name') || this.t('practice.title');
    this.#date.textContent = day(new Date().toISOString(), this.lang, this.#zone);
    this.#signOutButton.textContent = this.t('practice.sign-out');
    this.#signOutButton.hidden = this.hasAttribute('grant');
    this.#draw();
    this.show(this.#layout);
    this.#connect();
    const open = remembered(this.#name('visit'));
    if (open) await this.#open(open);
  }

  #connect() {
    this.#disconnect();
    this.#connection.replaceChildren();
    /** @type {Signalling} */
    const signalling = new Signalling({
      url: this.#access?.signalling ?? signallingAddress(this.server),
      grant: () => this.#access?.grant ?? '',
      seat: this.#seat,
      onMessage: (message) => this.#receive(message),
      onState: (state, code) => signalling === this.#signalling && this.#connectionChanged(state, code),
      renew: () => this.#renew(),
    });
    this.#signalling = signalling;
  }

  #disconnect() {
    clearTimeout(this.#lost);
    const signalling = this.#signalling;
    this.#signalling = null;
    signalling?.close();
  }

  /** What only a list connection may say. @param {{ type: 'admit' | 'invite' | 'close', visit: string, participant?: string }} message */
  #tell(message) {
    this.#signalling?.send(/** @type {BrowserMessage} */ (/** @type {unknown} */ (message)));
  }

  /** A page that slept for long signs in again with the code it still knows. @returns {Promise<string>} */
  async #renew() {
    const code = this.#code || this.getAttribute('code');
    if (!code) throw new Problem('grant-expired', 401, {});
    const access = await signIn(this.server, this.#practice, code);
    this.#keep(access.grant);
    return access.grant;
  }

  /** @param {string} grant */
  #keep(grant) {
    if (!this.#access) return;
    this.#access.grant = grant;
    if (!this.hasAttribute('grant')) remember(this.#name('access'), JSON.stringify(this.#access));
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'grant') this.#keep(message.grant);
    if (message.type === 'error' && !SAID_BY_CLOSING.has(message.code)) this.#fail(message.code);
    if (message.type !== 'queue') return;
    this.#entries = message.entries;
    this.#arrivals();
    this.#draw();
  }

  /** @param {SignallingState} state @param {number} code */
  #connectionChanged(state, code) {
    clearTimeout(this.#lost);
    if (state === 'down') {
      const time = hoursAndMinutes(new Date().toISOString(), this.lang, this.#zone);
      const notice = this.#notice('fair', '', this.t('practice.connection-lost', { time }));
      this.#lost = setTimeout(() => this.#connection.replaceChildren(notice), SAY_LOST_AFTER);
    }
    if (state === 'open') this.#connection.replaceChildren();
    if (state !== 'closed') return;
    this.#connection.replaceChildren();
    const expired = code === 4400 || code === 4401;
    if (expired && !this.#openVisit) return this.#signOut('grant-expired');
    if (expired) {
      // The visit has its own connection and goes on.
      this.#connection.append(this.#notice('bad', 'grant-expired'));
      return;
    }
    const words = this.t(code === 4409 ? 'practice.taken-over' : 'practice.connection-closed');
    const again = h('button', { type: 'button', text: this.t('practice.connect-again'), on: { click: () => this.#connect() } });
    this.#connection.append(this.#notice('bad', '', words, again));
  }

  /** @param {'fair' | 'bad'} grade @param {string} code @param {string} [text] @param {...Node} more */
  #notice(grade, code, text = problemText(code, this.t.bind(this)), ...more) {
    return h('div', { class: `notice ${grade}` }, icon('warning'), h('p', { text }), ...more);
  }

  /** An action that was refused: said above the list until the list changes again. @param {string} code */
  #fail(code) {
    this.#failure = code;
    const close = h(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': this.t('practice.dismiss'), on: { click: () => this.#fail('') } },
      icon('cross'),
    );
    this.#problem.replaceChildren(...(code ? [this.#notice('bad', code, undefined, close)] : []));
  }

  #arrivals() {
    const now = whoWaits(this.#entries ?? []);
    const arrived = [...now].filter(([key]) => this.#waiting && !this.#waiting.has(key));
    if (arrived.length) {
      this.announce(this.t('practice.arrived', { name: arrived.map(([, name]) => name).join(', ') }));
      if (!this.#openVisit) chime();
    }
    this.#waiting = now;
    countInTitle(now.size);
  }

  /** Draws what changed; a row that did not change stays as it is, and the focus where it was. */
  #draw() {
    this.#toggleText.textContent = this.t('practice.toggle-list', { count: this.#waiting?.size ?? 0 });
    if (!this.#entries) {
      this.#lists.replaceChildren(h('p', { class: 'empty muted', text: this.t('practice.loading') }));
      return;
    }
    const focused = /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement)?.dataset.key;
    /** @type {Node[]} */
    const nodes = [];
    const rows = new Map();
    for (const name of PARTS) {
      const entries = this.#entries.filter((entry) => part(entry, Date.now(), this.#zone) === name);
      if (OPTIONAL.has(name) && !entries.length) continue;
      nodes.push(h('h3', { text: this.t(`practice.part-${name}`, { count: entries.length }) }));
      if (!entries.length) nodes.push(h('p', { class: 'empty muted', text: this.t(`practice.none-${name}`) }));
      else nodes.push(h('ul', { class: 'rows' }, ...entries.map((entry) => this.#row(entry, rows))));
    }
    this.#rows = rows;
    this.#lists.replaceChildren(...nodes);
    if (focused) /** @type {HTMLElement | null} */ (this.#lists.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {Entry} entry @param {Map<string, { drawn: string, element: HTMLElement }>} rows */
  #row(entry, rows) {
    const drawn = JSON.stringify([entry, this.#openVisit]);
    const known = this.#rows.get(entry.visit);
    const t = this.t.bind(this);
    const look = { t, lang: this.lang, zone: this.#zone, openVisit: this.#openVisit };
    const drawing = { ...look, now: Date.now(), actions: this.#actions };
    const element = known?.drawn === drawn ? known.element : row(entry, drawing);
    rows.set(entry.visit, { drawn, element });
    return element;
  }

  /** @param {string} visit @param {Person} person */
  #admit(visit, person) {
    if (visit === this.#openVisit) this.#tell({ type: 'admit', visit, participant: person.participant });
    else void this.#open(visit, person.participant);
  }

  /** Goes into a visit, and admits someone on the way. @param {string} visit @param {string} [admit] */
  async #open(visit, admit) {
    if (this.#openVisit) return;
    this.#openVisit = visit;
    this.#draw();
    this.#fail('');
    try {
      const access = await visitGrant(this.server, visit, this.#access?.grant ?? '');
      remember(this.#name('visit'), visit);
      this.#visit.replaceChildren(this.#visitElement(access, admit));
      this.#visiting(true);
    } catch (error) {
      this.#leave();
      this.#fail(codeOf(error));
    }
  }

  /** @param {Access} access @param {string} [admit] */
  #visitElement({ grant, signalling }, admit) {
    const attributes = { server: this.server, lang: this.lang, grant, signalling, admit };
    return h('vsdk-video-visit', { ...attributes, on: { 'vsdk-visit-ended': () => this.#leave() } });
  }

  /** Back to the list. */
  #leave() {
    remember(this.#name('visit'), null);
    this.#openVisit = null;
    this.#visit.replaceChildren();
    this.#visiting(false);
    this.#draw();
    this.#heading.setAttribute('tabindex', '-1');
    this.#heading.focus();
    if (this.#signalling?.state === 'closed') this.#connect();
  }

  /** @param {boolean} visiting */
  #visiting(visiting) {
    this.toggleAttribute('visiting', visiting);
    this.#layout.classList.toggle('visiting', visiting);
    this.#layout.classList.remove('peek');
    this.#toggle.setAttribute('aria-expanded', 'false');
  }

  /** On narrow screens the list hides behind a button while a visit is open. */
  #peek() {
    this.#toggle.setAttribute('aria-expanded', String(this.#layout.classList.toggle('peek')));
  }

  /** @param {string} [problem] */
  #signOut(problem = '') {
    this.#disconnect();
    this.#access = null;
    this.#entries = null;
    this.#waiting = null;
    this.#code = '';
    countInTitle(0);
    for (const what of /** @type {const} */ (['access', 'visit'])) remember(this.#name(what), null);
    this.#visit.replaceChildren();
    this.#openVisit = null;
    this.#visiting(false);
    this.#askForCode(problem);
  }
}

customElements.define('vsdk-practice-queue', PracticeQueue);
