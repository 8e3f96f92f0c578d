/**
 * The chat where it is not the main thing: folded away until somebody wants to write, or a message comes.
 *
 * @import { VisitConnection } from '../visit.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { ChatPanel } from './chat-panel.js';

export class ChatFold {
  #host;
  #connection;
  #panel = new ChatPanel();
  #count = h('strong', { class: 'count' });
  #known = 0;

  /** @param {VsdkElement} host @param {VisitConnection} connection @param {string} word @param {string} [zone] */
  constructor(host, connection, word, zone) {
    this.#host = host;
    this.#connection = connection;
    this.#panel.className = 'folded';
    this.#panel.connection = connection;
    this.#panel.zone = zone;
    this.#panel.setAttribute('server', host.server);
    this.#panel.setAttribute('lang', host.lang);
    const words = host.t(word);
    const summary = h('summary', {}, h('span', { class: 'status' }, icon('message'), words), this.#count);
    this.node = h('details', { class: 'card chat', on: { toggle: () => this.#toggled() } }, summary, this.#panel);
  }

  update() {
    const { chat } = this.#connection;
    if (!chat) return;
    const others = chat.messages.filter((message) => !chat.own(message));
    const latest = others.at(-1);
    if (latest && others.length > this.#known && chat.unread > 0) {
      this.node.open = true;
      this.#host.announce(this.#host.t('chat.arrived', { name: latest.name || this.#host.t(`practice.role-${latest.role}`) }));
    }
    this.#known = others.length;
    this.#panel.seen = this.node.open;
    this.#panel.update();
    this.#count.textContent = chat.unread ? this.#host.t('chat.unread', { count: chat.unread }) : '';
  }

  #toggled() {
    this.#panel.seen = this.node.open;
    this.update();
  }
}
