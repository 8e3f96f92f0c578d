/**
 * The way into the pages of a practice: an access grant that was given or is remembered, or the access code.
 *
 * @import { VsdkElement } from '../ui/element.js'
 * @import { Access } from './practice-access.js'
 */

import { Problem } from '../api.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { remember, remembered, signIn } from './practice-access.js';
import { problemText, signInForm } from './practice-sign-in.js';

/** The error code that explains a failed request. @param {unknown} error */
export function codeOf(error) {
  return error instanceof Problem ? error.code : 'offline';
}

/**
 * @param {'fair' | 'bad'} grade
 * @param {string} text
 * @param {...Node} more
 */
export function notice(grade, text, ...more) {
  return h('div', { class: `notice ${grade}` }, icon('warning'), h('p', { text }), ...more);
}

/** Uses the attributes `grant`, or `practice`, `practice-name` and `code`, of its element. */
export class PracticeDoor {
  /** @type {Access | null} */
  access = null;
  #element;
  #enter;
  #code = '';

  /** @param {VsdkElement} element @param {(access: Access) => unknown} enter  called whenever there is access */
  constructor(element, enter) {
    this.#element = element;
    this.#enter = enter;
  }

  get grant() {
    return this.access?.grant ?? '';
  }

  /** What is remembered of this practice under that name. @param {'access' | 'visit'} what */
  name(what) {
    return `vsdk-${what}:${this.#element.server}:${this.#attribute('practice')}`;
  }

  async open() {
    const grant = this.#attribute('grant');
    const kept = remembered(this.name('access'));
    if (grant) return this.#in({ grant, signalling: this.#attribute('signalling') || undefined });
    if (kept) return this.#in(JSON.parse(kept));
    return this.signIn(this.#attribute('code'));
  }

  /** An empty code shows the form. @param {string} code */
  async signIn(code) {
    let problem = '';
    if (code) {
      try {
        const access = await signIn(this.#element.server, this.#attribute('practice'), code);
        this.#code = code;
        remember(this.name('access'), JSON.stringify(access));
        return await this.#in(access);
      } catch (error) {
        problem = codeOf(error);
      }
    }
    this.#ask(problem);
  }

  /** A page that slept for long signs in again with the code it still knows. @returns {Promise<string>} */
  async renew() {
    const code = this.#code || this.#attribute('code');
    if (!code) throw new Problem('grant-expired', 401, {});
    const access = await signIn(this.#element.server, this.#attribute('practice'), code);
    this.keep(access.grant);
    return access.grant;
  }

  /** A fresh grant. @param {string} grant */
  keep(grant) {
    if (!this.access) return;
    this.access.grant = grant;
    if (!this.#element.hasAttribute('grant')) remember(this.name('access'), JSON.stringify(this.access));
  }

  /** The attribute `code` or `grant` changed. @param {string} name @param {string | null} value */
  given(name, value) {
    if (!value) return;
    if (name === 'code' && !this.access) void this.signIn(value);
    if (name === 'grant' && this.access) this.access.grant = value;
    else if (name === 'grant') void this.#in({ grant: value });
  }

  /** Out again. @param {string} problem  an error code, or empty */
  leave(problem) {
    this.access = null;
    this.#code = '';
    for (const what of /** @type {const} */ (['access', 'visit'])) remember(this.name(what), null);
    this.#ask(problem);
  }

  /** @param {Access} access */
  async #in(access) {
    this.access = access;
    await this.#enter(access);
  }

  /** @param {string} problem */
  #ask(problem) {
    const element = this.#element;
    const t = element.t.bind(element);
    if (element.hasAttribute('grant')) {
      const words = notice('bad', problemText(problem, t));
      element.show(h('div', { class: 'step' }, h('h2', { text: t('practice.title') }), words));
      return;
    }
    element.show(signInForm(this.#attribute('practice-name'), problem, t, (code) => this.signIn(code)));
    if (problem) element.shadowRoot?.querySelector('input')?.focus();
  }

  /** @param {string} name */
  #attribute(name) {
    return this.#element.getAttribute(name) ?? '';
  }
}
