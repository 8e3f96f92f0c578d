/**
 * `<vsdk-practice-queue server practice lang grant? signalling? code? token? visit? practice-name? time-zone?>`: today's
 * visits of a practice, who waits on top; `visit` is opened at once. `time-zone` (IANA name) is the practice's; without it the browser's own counts.
 *
 * Without `grant` it asks to sign in (or takes the attribute `code`, or a `token` of the practice's system). Admitting someone
 * puts `<vsdk-video-visit>` beside the list; its event `vsdk-visit-ended` brings the list back.
 *
 * @import { BrowserMessage, Entry, Person, ServerMessage } from '../protocol.js'
 * @import { SignallingState } from '../signalling.js'
 * @import { Access } from './practice-access.js'
 */

import { signallingAddress } from '../api.js';
import { Signalling, newSeat } from '../signalling.js';
import { day } from '../times.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { remember, remembered, visitGrant } from './practice-access.js';
import { chime, countInTitle, whoWaits } from './practice-arrival.js';
import { RowDialogs } from './practice-dialogs.js';
import { PracticeDoor, codeOf, notice } from './practice-door.js';
import { givenUpNotice } from './practice-given-up.js';
import { hoursAndMinutes, part, refreshWaits, row } from './practice-rows.js';
import { PracticeSearch } from './practice-search.js';
import { problemText } from './practice-sign-in.js';
import { practiceSheet } from './practice-styles.js';

const REFRESH_EVERY = 20_000;
/** milliseconds */
const PRESSED_AT_MOST = 2000;
/** A connection that is back within this time was never worth a word. */
const SAY_LOST_AFTER = 1500;
/** Errors that come just before the server closes the connection; the close code tells the same. */
const SAID_BY_CLOSING = new Set(['taken-over', 'grant-expired', 'grant-invalid', 'sign-in-over']);
const PARTS = /** @type {const} */ (['here', 'planned', 'later', 'over']);
/** These are left out when they are empty. */
const OPTIONAL = new Set(['later', 'over']);

export class PracticeQueue extends VsdkElement {
  static sheets = [practiceSheet];
  static observedAttributes = ['code', 'grant', 'token'];

  #door = new PracticeDoor(this, (access) => this.#enter(access));
  /** @type {Signalling | null} */ #signalling = null;
  /** @type {Entry[] | null} */ #entries = null;
  /** @type {Map<string, string> | null} */ #waiting = null;
  /** @type {string | null} */ #openVisit = null;
  /** @type {Map<string, { drawn: string, element: HTMLElement }>} */ #rows = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #lost;
  #started = false;
  #failure = '';
  #givenUp = 0;
  /** @type {ReadonlySet<string>} what whoever looks at the list may do */ #may = new Set();
  #seat = newSeat();
  #dialogs = new RowDialogs(this, {
    grant: () => this.#door.grant,
    close: (visit) => this.#tell({ type: 'close', visit }),
  });
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
    /** @param {'end' | 'messages' | 'delay'} what @param {Entry} entry */
    ask: (what, entry) => this.#dialogs.open(what, entry),
  };

  #connection = h('div');
  #problem = h('div');
  #undelivered = h('div');
  #lists = h('div', { on: { pointerdown: (event) => this.#press(event) } });
  #pressed = false;
  /** What is shown is not the newest. */
  #behind = false;
  #date = h('p', { class: 'muted' });
  #heading = h('h2');
  #signOutButton = h('button', { type: 'button', class: 'quiet sign-out', on: { click: () => this.#signOut() } });
  #search = new PracticeSearch(this, () => this.#draw());
  #devicesButton = h('button', { type: 'button', class: 'quiet sign-out', on: { click: () => this.#devices() } });
  #list = h(
    'section',
    { class: 'list', part: 'list', id: 'list', on: { keydown: (event) => this.#search.key(event) } },
    h('div', { class: 'head' }, h('div', {}, this.#heading, this.#date), h('div', { class: 'ways' }, this.#devicesButton, this.#signOutButton)),
    h('div', { class: 'notices', role: 'status' }, this.#connection, this.#problem, this.#undelivered),
    this.#search.node,
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

  get #zone() {
    return this.getAttribute('time-zone') ?? undefined;
  }

  async start() {
    this.#started = true;
    this.#timer = setInterval(() => refreshWaits(this.#lists, Date.now(), this.t.bind(this)), REFRESH_EVERY);
    await this.#door.open();
  }

  stop() {
    this.#started = false;
    clearInterval(this.#timer);
    this.#disconnect();
    countInTitle(0);
  }

  /** @param {string} name @param {string | null} _old @param {string | null} value */
  attributeChangedCallback(name, _old, value) {
    if (this.#started) this.#door.given(name, value);
  }

  /** Shows the list and connects. @param {Access} access */
  async #enter(access) {
    this.#heading.textContent = access.practice?.name || this.getAttribute('practice-name') || this.t('practice.title');
    this.#date.textContent = day(new Date().toISOString(), this.lang, this.#zone);
    this.#signOutButton.textContent = this.t('practice.sign-out');
    this.#devicesButton.textContent = this.t('practice.devices');
    this.#signOutButton.hidden = this.#devicesButton.hidden = this.hasAttribute('grant');
    this.#draw();
    this.show(this.#layout);
    this.#connect();
    const open = this.getAttribute('visit') || remembered(this.#door.name('visit'));
    this.removeAttribute('visit');
    if (open) await this.#open(open);
  }

  #connect() {
    this.#disconnect();
    this.#connection.replaceChildren();
    /** @type {Signalling} */
    const signalling = new Signalling({
      url: this.#door.access?.signalling ?? signallingAddress(this.server),
      grant: () => this.#door.grant,
      seat: this.#seat,
      onMessage: (message) => this.#receive(message),
      onState: (state, code) => signalling === this.#signalling && this.#connectionChanged(state, code),
      renew: () => this.#door.renew(),
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

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'grant') this.#door.keep(message.grant);
    if (message.type === 'welcome') this.#may = new Set(message.you.capabilities);
    if (message.type === 'error' && !SAID_BY_CLOSING.has(message.code)) this.#fail(message.code);
    if (message.type !== 'queue') return;
    this.#entries = message.entries;
    this.#arrivals();
    this.#draw();
    this.#dialogs.update(message.entries);
    this.#showGivenUp(message.given_up ?? 0);
  }

  /** @param {SignallingState} state @param {number} code */
  #connectionChanged(state, code) {
    clearTimeout(this.#lost);
    if (state === 'down') {
      const time = hoursAndMinutes(new Date().toISOString(), this.lang, this.#zone);
      const lost = notice('fair', this.t('practice.connection-lost', { time }));
      this.#lost = setTimeout(() => this.#connection.replaceChildren(lost), SAY_LOST_AFTER);
    }
    if (state === 'open') this.#connection.replaceChildren();
    if (state !== 'closed') return;
    this.#connection.replaceChildren();
    const expired = code === 4400 || code === 4401;
    if (expired && !this.#openVisit) return this.#signOut('grant-expired');
    if (expired) {
      // The visit has its own connection and goes on.
      this.#connection.append(notice('bad', this.#words('grant-expired')));
      return;
    }
    const words = this.t(code === 4409 ? 'practice.taken-over' : 'practice.connection-closed');
    const again = h('button', { type: 'button', text: this.t('practice.connect-again'), on: { click: () => this.#connect() } });
    this.#connection.append(notice('bad', words, again));
  }

  /** A link to what was given up, in words. @param {number} count */
  #showGivenUp(count) {
    if (count === this.#givenUp) return;
    this.#givenUp = count;
    this.#undelivered.replaceChildren(...(count ? [givenUpNotice(this, count, this.#door.grant)] : []));
  }

  /** What a code means, in words. @param {string} code */
  #words(code) {
    return problemText(code, this.t.bind(this));
  }

  /** An action that was refused: said above the list until the list changes again. @param {string} code */
  #fail(code) {
    this.#failure = code;
    const close = h(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': this.t('practice.dismiss'), on: { click: () => this.#fail('') } },
      icon('cross'),
    );
    this.#problem.replaceChildren(...(code ? [notice('bad', this.#words(code), close)] : []));
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

  /**
   * A list that is drawn anew between press and release would take the button from under the finger: it waits, though
   * not for long, since a release may never be heard of.
   * @param {PointerEvent} event
   */
  #press = ({ button }) => {
    if (button !== 0) return;
    this.#pressed = true;
    const released = new AbortController();
    const release = () => {
      released.abort();
      clearTimeout(late);
      setTimeout(() => {
        this.#pressed = false;
        if (this.#behind) this.#draw();
      });
    };
    const late = setTimeout(release, PRESSED_AT_MOST);
    for (const event of ['pointerup', 'pointercancel']) addEventListener(event, release, { signal: released.signal, capture: true });
  };

  /** Draws what changed; a row that did not change stays as it is, and the focus where it was. */
  #draw() {
    this.#behind = this.#pressed;
    if (this.#behind) return;
    this.#toggleText.textContent = this.t('practice.toggle-list', { count: this.#waiting?.size ?? 0 });
    if (!this.#entries) {
      this.#lists.replaceChildren(h('p', { class: 'empty muted', text: this.t('practice.loading') }));
      return;
    }
    const focused = /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement)?.dataset.key;
    /** @type {Node[]} */
    const nodes = [];
    const rows = new Map();
    const partOf = (/** @type {Entry} */ entry) => part(entry, Date.now(), this.#zone);
    const shown = this.#search.among(this.#entries, (entry) => partOf(entry) === 'here');
    for (const name of PARTS) {
      const entries = shown.filter((entry) => partOf(entry) === name);
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
    const drawn = JSON.stringify([entry, this.#openVisit, [...this.#may]]);
    const known = this.#rows.get(entry.visit);
    const t = this.t.bind(this);
    const look = { t, lang: this.lang, zone: this.#zone, openVisit: this.#openVisit };
    const drawing = { ...look, now: Date.now(), may: this.#may, actions: this.#actions };
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
      const access = await visitGrant(this.server, visit, this.#door.grant);
      remember(this.#door.name('visit'), visit);
      this.#visit.replaceChildren(this.#visitElement(access, admit));
      this.#visiting(true);
    } catch (error) {
      this.#leave();
      this.#fail(codeOf(error));
    }
  }

  /** @param {Access} access @param {string} [admit] */
  #visitElement({ grant, signalling }, admit) {
    const zone = this.getAttribute('time-zone');
    const attributes = { server: this.server, lang: this.lang, grant, signalling, admit, 'time-zone': zone };
    return h('vsdk-video-visit', { ...attributes, on: { 'vsdk-visit-ended': () => this.#leave() } });
  }

  /** Back to the list. */
  #leave() {
    remember(this.#door.name('visit'), null);
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

  #devices() {
    void import('./practice-devices.js').then(({ devicesDialog }) => devicesDialog(this, () => this.#door.grant, this.#zone));
  }

  /** @param {string} [problem] */
  #signOut(problem = '') {
    this.#disconnect();
    this.#dialogs.dismiss();
    this.#entries = null;
    this.#waiting = null;
    countInTitle(0);
    this.#visit.replaceChildren();
    this.#openVisit = null;
    this.#visiting(false);
    this.#showGivenUp(0);
    this.#door.leave(problem);
  }
}

customElements.define('vsdk-practice-queue', PracticeQueue);
