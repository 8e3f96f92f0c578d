/**
 * One message as it is shown: who, when, the words or the file, and how far it is.
 *
 * @import { Chat, ChatFile, Message } from '../chat.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { clock } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** Pictures that a browser shows without running anything. */
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

export class ChatRow {
  #host;
  #state = h('span', { class: 'small muted' });
  #bar = h('progress', { max: 1, hidden: true });
  /** @type {string[]} */ #urls = [];

  /** @param {VsdkElement} host @param {Message} message @param {boolean} own @param {string | undefined} zone */
  constructor(host, message, own, zone) {
    this.#host = host;
    const name = own ? host.t('chat.you') : message.name || host.t(`practice.role-${message.role}`);
    const time = clock(new Date(message.at).toISOString(), host.lang, zone);
    this.node = h(
      'li',
      { class: own ? 'own' : 'theirs' },
      h('p', { class: 'small muted' }, h('strong', { text: name }), ` ${time}`),
      message.text !== undefined && h('p', { class: 'words', text: message.text }),
      message.file && this.#file(message.file),
      this.#bar,
      own && h('p', { class: 'state' }, this.#state),
    );
  }

  /** @param {ChatFile} file */
  #file({ name, type, size, blob }) {
    // Whatever it says it is: it is saved and never opened here.
    const url = this.#url(blob, 'application/octet-stream');
    const words = this.#host.t('chat.save-file', { name, size: inBytes(size, this.#host.lang) });
    const link = h('a', { class: 'button', href: url, download: name }, icon('file'), words);
    if (!PICTURES.has(type)) return link;
    const picture = h('img', { src: this.#url(blob, type), alt: name });
    picture.addEventListener('error', () => picture.remove());
    return h('div', { class: 'stack' }, picture, link);
  }

  /** @param {Blob} blob @param {string} type */
  #url(blob, type) {
    const url = URL.createObjectURL(new Blob([blob], { type }));
    this.#urls.push(url);
    return url;
  }

  /** @param {Chat} chat @param {Message} message */
  update(chat, message) {
    const states = Object.values(message.delivered);
    const state = states.length === 0 ? 'later' : states.includes('sending') ? 'sending' : states.includes('got') ? 'got' : 'read';
    const words = this.#host.t(`chat.state.${state}`);
    if (this.#state.textContent !== words) this.#state.textContent = words;
    const progress = message.file && state === 'sending' ? chat.progress(message) : 1;
    this.#bar.hidden = progress >= 1;
    /** @type {HTMLProgressElement} */ (this.#bar).value = progress;
    if (progress < 1) this.#bar.setAttribute('aria-label', words);
  }

  remove() {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.node.remove();
  }
}

/** @param {number} size bytes @param {string} lang */
function inBytes(size, lang) {
  const [unit, value] = size < 1e6 ? ['kilobyte', Math.max(1, Math.round(size / 1e3))] : ['megabyte', Math.round(size / 1e5) / 10];
  return new Intl.NumberFormat(lang, { style: 'unit', unit: String(unit), unitDisplay: 'short' }).format(Number(value));
}
