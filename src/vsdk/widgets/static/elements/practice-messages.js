/**
 * `<vsdk-practice-messages server practice lang grant? signalling? code? practice-name? time-zone?>`: messages of a
 * practice that did not arrive, and what can be done about each. It signs in like the practice's list.
 *
 * @import { ServerMessage } from '../protocol.js'
 * @import { GivenUp } from '../messages-api.js'
 */

import { signallingAddress } from '../api.js';
import { advice, channelName, reason, what, when } from '../message-words.js';
import { MessagesApi } from '../messages-api.js';
import { Signalling, newSeat } from '../signalling.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { PracticeDoor, codeOf, notice } from './practice-door.js';
import { problemText } from './practice-sign-in.js';
import { messagesSheet } from './practice-styles.js';

/** Changes that come together are loaded together, in milliseconds. */
const LOAD_AFTER = 300;
const SIGNED_OUT = new Set(['grant-expired', 'grant-invalid']);

export class PracticeMessages extends VsdkElement {
  static sheets = [messagesSheet];
  static observedAttributes = ['code', 'grant'];

  #door = new PracticeDoor(this, () => this.#enter());
  /** @type {Signalling | null} */ #signalling = null;
  /** @type {GivenUp[]} */ #entries = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #again;
  /** @type {number | null} */ #count = null;
  #started = false;
  #busy = false;
  #heading = h('h2');
  #back = h('a', { class: 'button quiet' });
  #said = h('div', { role: 'status' });
  #list = h('div', { class: 'stack' });
  #page = h('section', { class: 'page' }, this.#back, this.#heading, this.#said, this.#list);

  get #api() {
    return new MessagesApi(this.server, () => this.#door.grant);
  }

  async start() {
    this.#started = true;
    await this.#door.open();
  }

  stop() {
    this.#started = false;
    this.#disconnect();
  }

  /** @param {string} name @param {string | null} _old @param {string | null} value */
  attributeChangedCallback(name, _old, value) {
    if (this.#started) this.#door.given(name, value);
  }

  async #enter() {
    this.#heading.textContent = this.t('practice.undelivered-title');
    const practice = this.getAttribute('practice');
    this.#back.hidden = !practice;
    this.#back.setAttribute('href', `${this.server}/practice/${encodeURIComponent(practice ?? '')}?lang=${this.lang}`);
    this.#back.replaceChildren(icon('chevron'), this.t('practice.back-to-list'));
    this.#list.replaceChildren(h('p', { class: 'muted', text: this.t('practice.loading') }));
    this.show(this.#page);
    this.#connect();
    await this.#load();
  }

  /** The list connection says when something changed, and keeps the access grant fresh. */
  #connect() {
    this.#disconnect();
    /** @type {Signalling} */
    const signalling = new Signalling({
      url: this.#door.access?.signalling ?? signallingAddress(this.server),
      grant: () => this.#door.grant,
      seat: newSeat(),
      onMessage: (message) => this.#receive(message),
      onState: (state) => signalling === this.#signalling && state === 'closed' && this.#out('grant-expired'),
      renew: () => this.#door.renew(),
    });
    this.#signalling = signalling;
  }

  #disconnect() {
    clearTimeout(this.#again);
    const signalling = this.#signalling;
    this.#signalling = null;
    signalling?.close();
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'grant') this.#door.keep(message.grant);
    if (message.type !== 'queue') return;
    this.#count = message.given_up ?? 0;
    this.#compare();
  }

  /** Loads anew, unless everything of which the server spoke last is shown. */
  #compare() {
    clearTimeout(this.#again);
    if (this.#count === null || this.#count === this.#entries.length) return;
    this.#again = setTimeout(() => void this.#load(), LOAD_AFTER);
  }

  /** @param {string} code */
  #out(code) {
    this.#disconnect();
    this.#door.leave(code);
  }

  async #load() {
    if (this.#busy) return;
    try {
      this.#entries = await this.#api.givenUp();
      this.#draw();
      this.#compare();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    const code = codeOf(error);
    if (SIGNED_OUT.has(code)) this.#out('grant-expired');
    else this.#said.replaceChildren(notice('bad', problemText(code, this.t.bind(this))));
  }

  /** One after the other; what somebody else decided meanwhile is done. @param {'retry' | 'drop'} what @param {GivenUp[]} entries */
  async #decide(what, entries) {
    this.#busy = true;
    for (const button of this.#list.querySelectorAll('button')) button.disabled = true;
    try {
      for (const { id } of entries) {
        await this.#api.decide(what, id).catch((error) => {
          if (codeOf(error) !== 'message-unknown') throw error;
        });
      }
      this.#said.replaceChildren(
        h('p', { class: 'status good' }, icon('check'), this.t(what === 'retry' ? 'practice.retried' : 'practice.dropped')),
      );
    } catch (error) {
      this.#failed(error);
    }
    this.#busy = false;
    if (!this.#door.access) return;
    await this.#load();
    this.#heading.setAttribute('tabindex', '-1');
    this.#heading.focus();
  }

  #draw() {
    const open = this.#entries.filter((entry) => !entry.over);
    if (!this.#entries.length) {
      this.#list.replaceChildren(h('p', { class: 'lead', text: this.t('practice.undelivered-none') }));
      return;
    }
    this.#list.replaceChildren(
      h('p', { text: this.t('practice.undelivered-lead') }),
      ...(open.length > 1
        ? [h('button', { type: 'button', text: this.t('practice.retry-all'), on: { click: () => void this.#decide('retry', open) } })]
        : []),
      h('ul', { class: 'rows' }, ...this.#entries.map((entry) => this.#card(entry))),
    );
  }

  /** @param {GivenUp} entry */
  #card(entry) {
    const t = this.t.bind(this);
    const zone = this.getAttribute('time-zone') ?? undefined;
    const moment = (/** @type {string} */ iso) => when(iso, Date.now(), this.lang, zone);
    const name = entry.name || t(`practice.role-${entry.role ?? 'patient'}`);
    const about = entry.start ? t('practice.undelivered-about', { name, time: moment(entry.start) }) : name;
    const where = [channelName(entry.channel, t), entry.recipient].filter(Boolean).join(' ');
    const subject = entry.kind === 'write-back' ? t('practice.template-write-back') : what(entry.template ?? '', t);
    const since = t('practice.undelivered-since', { time: moment(entry.since), count: entry.attempts });
    const labelled = { name, what: subject };
    return h(
      'li',
      { class: 'card row stack' },
      h(
        'div',
        { class: 'about' },
        h('h3', { text: about }),
        h('p', { text: [subject, where].filter(Boolean).join(' · ') }),
        h('p', { class: 'status bad' }, icon('warning'), h('span', { text: reason(entry.code, t, entry.kind) })),
        h('p', { text: entry.over ? t('practice.undelivered-over') : advice(entry.code, t, entry.kind) }),
        h('p', { class: 'small muted', text: since }),
      ),
      h(
        'div',
        { class: 'buttons' },
        !entry.over &&
          h('button', {
            type: 'button',
            text: t('practice.retry'),
            'aria-label': t('practice.retry-what', labelled),
            on: { click: () => void this.#decide('retry', [entry]) },
          }),
        h('button', {
          type: 'button',
          class: 'quiet',
          text: t('practice.drop'),
          'aria-label': t('practice.drop-what', labelled),
          on: { click: () => void this.#decide('drop', [entry]) },
        }),
      ),
    );
  }
}

customElements.define('vsdk-practice-messages', PracticeMessages);
