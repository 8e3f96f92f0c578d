/**
 * `<vsdk-message-choice server handle lang>`: whether someone wants messages about their video visits.
 *
 * `handle` is the secret of their join link.
 */

import { Problem } from '../api.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** @typedef {{ practice: { name: string, phone: string }, addresses: string[], opted_out: boolean }} Preferences */

export class MessageChoice extends VsdkElement {
  static observedAttributes = ['handle'];
  #started = false;

  async start() {
    this.#started = true;
    if (this.getAttribute('handle')) await this.#ask('preferences', {});
    else this.#trouble('join-link-unknown');
  }

  stop() {
    this.#started = false;
  }

  attributeChangedCallback() {
    if (this.#started) void this.start();
  }

  /** @param {'preferences' | 'opt-out'} what @param {{ out?: boolean }} more */
  async #ask(what, more) {
    try {
      const reply = await fetch(`${this.server}/api/v1/messages/${what}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ handle: this.getAttribute('handle'), ...more }),
        credentials: 'omit',
      });
      const document = await reply.json().catch(() => ({}));
      if (!reply.ok) throw new Problem(document.code ?? 'unavailable', reply.status, document);
      this.#show(document);
    } catch (error) {
      this.#trouble(error instanceof Problem ? error.code : 'offline');
    }
  }

  /** @param {Preferences} preferences */
  #show({ practice, addresses, opted_out: out }) {
    const { name } = practice;
    if (!addresses.length) {
      this.#step(h('h2', { text: this.t('choice.title') }), h('p', { class: 'lead', text: this.t('choice.none', { name }) }));
      return;
    }
    const change = h('button', {
      class: 'primary',
      text: this.t(out ? 'choice.allow' : 'choice.stop'),
      on: {
        click: () => {
          change.disabled = true;
          void this.#ask('opt-out', { out: !out });
        },
      },
    });
    this.#step(
      h('h2', { text: this.t(out ? 'choice.title-out' : 'choice.title') }),
      h('p', { class: 'lead', text: this.t(out ? 'choice.out' : 'choice.in', { name }) }),
      h(
        'ul',
        { class: 'card stack' },
        ...addresses.map((address) =>
          h('li', { class: 'status' }, icon(address.includes('@') ? 'message' : 'phone'), this.#where(address)),
        ),
      ),
      h('p', { text: this.t(out ? 'choice.out-means' : 'choice.in-means') }),
      change,
    );
  }

  /** @param {string} address masked */
  #where(address) {
    return h('span', { text: this.t(address.includes('@') ? 'choice.email' : 'choice.phone', { address }) });
  }

  /** @param {string} code */
  #trouble(code) {
    const known = this.t(`visit.problem.${code}.title`) !== `visit.problem.${code}.title`;
    const key = `visit.problem.${known ? code : 'other'}`;
    this.#step(
      h('h2', { text: this.t(`${key}.title`) }),
      h('p', { class: 'lead', text: this.t(`${key}.text`) }),
      h('button', { class: 'primary', text: this.t('visit.again'), on: { click: () => void this.start() } }),
    );
  }

  /** @param {...Node} nodes */
  #step(...nodes) {
    this.show(h('section', { class: 'step' }, ...nodes));
  }
}

customElements.define('vsdk-message-choice', MessageChoice);
