/**
 * The dialog in which two people compare six digits, so that they know that nobody is in between (`sas.js`).
 *
 * @import { PeerInfo } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 * @import { VisitConnection } from '../visit.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** 64 pictures that are told apart easily and have a name in every language. */
const SYMBOLS = [
  ...'🐶🐱🦁🐴🦄🐷🐘🐰🐼🐓🐧🐢🐟🐙🦋🌷',
  ...'🌳🌵🍄🌍🌙🌈🔥🍌🍎🍓🌽🍕🎂🍪🍋🧀',
  ...'🤖🎩👓🔧🎅👍🌂⌛⏰🎁💡📕📎🔑🔨🚗',
  ...'🚲🚂🛶🚀🏆⚽🎸🎺🔔⚓🎧📁📌🪑🧦🥁',
];

export class CompareDialog {
  #host;
  #connection;
  #hangUp;
  #list = h('div', { class: 'stack' });
  #shown = '';

  /** @param {VsdkElement} host @param {VisitConnection} connection @param {() => void} hangUp */
  constructor(host, connection, hangUp) {
    this.#host = host;
    this.#connection = connection;
    this.#hangUp = hangUp;
    const t = host.t.bind(host);
    this.node = h(
      'dialog',
      { class: 'compare', 'aria-label': t('visit.trust.title'), on: { close: () => this.node.remove() } },
      h(
        'div',
        { class: 'stack' },
        h('h2', { text: t('visit.trust.title') }),
        h('p', { text: t('visit.trust.why') }),
        this.#list,
        h('button', { text: t('visit.trust.close'), on: { click: () => this.node.close() } }),
      ),
    );
    this.update();
  }

  /** Show what is known now. */
  update() {
    const peers = Object.values(this.#connection.state.peers);
    const shown = JSON.stringify(peers.map(({ participant, name }) => [participant, name, this.#trust(participant), this.#code(participant)]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.replaceChildren(...peers.map((peer) => this.#one(peer, peers.length > 1)));
  }

  /** @param {string} participant */
  #trust(participant) {
    return this.#connection.trust(participant);
  }

  /** @param {string} participant */
  #code(participant) {
    return this.#connection.peers.get(participant)?.sas?.code ?? null;
  }

  /** @param {PeerInfo} peer @param {boolean} several */
  #one({ participant, name }, several) {
    const t = this.#host.t.bind(this.#host);
    const code = this.#code(participant);
    const trust = this.#trust(participant);
    const answer = (/** @type {boolean} */ same) => () => {
      this.#connection.compared(participant, same);
      this.update();
      /** @type {HTMLElement | null} */ (this.#list.querySelector('[tabindex]'))?.focus();
    };
    return h(
      'section',
      { class: 'stack' },
      several && h('h3', { text: t('visit.trust.with', { name }) }),
      code && h('p', { class: 'digits', text: `${code.digits.slice(0, 3)} ${code.digits.slice(3)}` }),
      code &&
        h(
          'details',
          {},
          h('summary', { text: t('visit.trust.symbols') }),
          h('p', { class: 'symbols', text: code.symbols.map((symbol) => SYMBOLS[symbol]).join(' ') }),
        ),
      trust === 'open' &&
        h(
          'div',
          { class: 'buttons' },
          h('button', { text: t('visit.trust.yes'), on: { click: answer(true) } }),
          h('button', { text: t('visit.trust.no'), on: { click: answer(false) } }),
        ),
      trust === 'same' && this.#word('good', 'check', 'visit.trust.same-text'),
      trust === 'different' && this.#word('bad', 'warning', 'visit.trust.different-text'),
      trust === 'different' && this.#end(),
      trust === 'none' && h('p', { class: 'muted', text: t('visit.trust.none-text') }),
    );
  }

  /** @param {'good' | 'bad'} grade @param {'check' | 'warning'} name @param {string} key */
  #word(grade, name, key) {
    return h('p', { class: `status ${grade}`, tabindex: -1, role: 'status' }, icon(name), this.#host.t(key));
  }

  #end() {
    const click = () => {
      this.node.close();
      this.#hangUp();
    };
    return h('button', { class: 'danger', on: { click } }, icon('hang-up'), this.#host.t('visit.stage.hang-up'));
  }
}
