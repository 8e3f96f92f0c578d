/**
 * The way into the pages of a practice: an access grant that was given or is remembered, or signing in.
 *
 * @import { VsdkElement } from '../ui/element.js'
 * @import { Access, Way } from './practice-access.js'
 */

import { Problem } from '../api.js';
import { canPasskey, passkeyAnswer } from '../passkey.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { isOwn, remember, remembered, resume, signIn, signOut, wayIn } from './practice-access.js';
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

/** Uses the attributes `grant`, or `practice`, `practice-name`, and `code` or `token`, of its element. */
export class PracticeDoor {
  /** @type {Access | null} */
  access = null;
  #element;
  #enter;
  /** @type {Record<string, string> | null} */ #params = null;
  /** @type {Way | null} */ #way = null;

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
    const [code, token] = [this.#attribute('code'), this.#attribute('token')];
    if (token) return this.signIn({ token });
    if (grant) return this.#in({ grant, signalling: this.#attribute('signalling') || undefined });
    if (kept) return this.#in(JSON.parse(kept));
    if (code) return this.signIn({ code });
    if (!isOwn(this.#element.server)) return this.#ask('');
    try {
      return await this.#take(await resume(this.#element.server, this.#attribute('practice')));
    } catch {
      return this.#ask('');
    }
  }

  /** With what was typed in. @param {Record<string, string>} params */
  async signIn(params) {
    let problem = '';
    try {
      const access = await signIn(this.#element.server, this.#attribute('practice'), params);
      this.#params = params;
      return await this.#take(access);
    } catch (error) {
      problem = codeOf(error);
    }
    return this.#ask(problem, params.login);
  }

  async #byPasskey() {
    try {
      const answer = await passkeyAnswer(this.#element.server, this.#attribute('practice'));
      if (answer) await this.signIn(answer);
    } catch (error) {
      await this.#ask(codeOf(error));
    }
  }

  /** A page that slept for long: by its cookie, or with the code it still knows. @returns {Promise<string>} */
  async renew() {
    const { server } = this.#element;
    const practice = this.#attribute('practice');
    const code = this.#attribute('code') || this.#params?.code;
    if (!code && !isOwn(server)) throw new Problem('grant-expired', 401, {});
    const access = code ? await signIn(server, practice, { code }) : await resume(server, practice);
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
    if (name === 'token') void this.signIn({ token: value });
    if (name === 'code' && !this.access) void this.signIn({ code: value });
    if (name === 'grant' && this.access) this.access.grant = value;
    else if (name === 'grant') void this.#in({ grant: value });
  }

  /** Out again. @param {string} problem  an error code, or empty where it is meant so */
  leave(problem) {
    this.access = null;
    this.#params = null;
    for (const what of /** @type {const} */ (['access', 'visit'])) remember(this.name(what), null);
    if (!problem && isOwn(this.#element.server)) void signOut(this.#element.server).then((url) => url && location.assign(url));
    void this.#ask(problem);
  }

  /** Also after the next reload. @param {Access} access */
  async #take(access) {
    remember(this.name('access'), JSON.stringify(access));
    await this.#in(access);
  }

  /** @param {Access} access */
  async #in(access) {
    this.access = access;
    await this.#enter(access);
  }

  /** @param {string} problem @param {string} [login]  who tried */
  async #ask(problem, login = '') {
    const element = this.#element;
    const t = element.t.bind(element);
    if (element.hasAttribute('grant')) {
      const words = notice('bad', problemText(problem, t));
      element.show(h('div', { class: 'step' }, h('h2', { text: t('practice.title') }), words));
      return;
    }
    this.#way ??= await wayIn(element.server, this.#attribute('practice')).catch(() => null);
    const way = this.#way ?? { asks: ['code'], url: '' };
    const passkey = way.asks.includes('passkey') && canPasskey() ? () => void this.#byPasskey() : null;
    element.show(signInForm(this.#attribute('practice-name'), way, { problem, login }, t, (params) => this.signIn(params), passkey));
    const inputs = [...(element.shadowRoot?.querySelectorAll('input') ?? [])];
    if (problem) (inputs.find(({ value }) => !value) ?? inputs[0])?.focus();
  }

  /** @param {string} name */
  #attribute(name) {
    return this.#element.getAttribute(name) ?? '';
  }
}
