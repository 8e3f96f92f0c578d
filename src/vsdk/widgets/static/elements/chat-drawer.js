/**
 * The chat in a visit: beside the picture, or over it where there is little room; and the button that opens it.
 *
 * @import { VisitConnection } from '../visit.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { ChatPanel } from './chat-panel.js';

export class ChatDrawer {
  #host;
  /** @type {VisitConnection | null} */ #connection = null;
  #panel = new ChatPanel();
  #count = h('span', { class: 'count', hidden: true });
  #word = h('span');
  #title = h('h3', { tabindex: -1 });
  #close = h('button', { class: 'quiet', on: { click: () => this.#show(false) } });
  #known = 0;
  button = h('button', { class: 'message', 'aria-expanded': 'false', on: { click: () => this.#show(Boolean(this.node.hidden)) } });
  node = h('aside', { class: 'drawer', hidden: true, on: { keydown: (event) => this.#key(event) } });

  /** @param {VsdkElement} host */
  constructor(host) {
    this.#host = host;
  }

  /** Once the texts are there. @param {VisitConnection} connection @param {string | undefined} zone */
  build(connection, zone) {
    const t = this.#host.t.bind(this.#host);
    this.#connection = connection;
    this.#panel.connection = connection;
    this.#panel.zone = zone;
    this.#panel.setAttribute('server', this.#host.server);
    this.#panel.setAttribute('lang', this.#host.lang);
    this.#title.textContent = t('chat.title');
    this.#close.replaceChildren(icon('cross'), t('chat.close'));
    this.#word.textContent = t('chat.title');
    this.button.replaceChildren(icon('message'), this.#word, this.#count);
    this.node.setAttribute('aria-label', t('chat.title'));
    this.node.replaceChildren(h('div', { class: 'head' }, this.#title, this.#close), this.#panel);
    const { chat } = connection;
    this.#known = chat ? chat.messages.length : 0;
    this.update();
  }

  update() {
    const { chat } = this.#connection ?? {};
    this.button.hidden = !chat;
    if (!chat) return;
    this.#panel.seen = !this.node.hidden;
    this.#panel.update();
    const { unread } = chat;
    this.#count.hidden = unread === 0;
    this.#count.textContent = String(unread);
    this.#count.setAttribute('aria-label', this.#host.t('chat.unread', { count: unread }));
    const latest = chat.messages.at(-1);
    if (latest && chat.messages.length > this.#known && !chat.own(latest)) {
      this.#host.announce(this.#host.t('chat.arrived', { name: latest.name || this.#host.t(`practice.role-${latest.role}`) }));
    }
    this.#known = chat.messages.length;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Escape') this.#show(false);
  }

  /** @param {boolean} open */
  #show(open) {
    this.node.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    this.update();
    if (!open) this.button.focus();
    // Where a keyboard on the screen would cover what was written, nobody is taken to the field.
    else if (matchMedia('(pointer: fine)').matches) this.#panel.begin();
    else this.#title.focus();
  }
}
