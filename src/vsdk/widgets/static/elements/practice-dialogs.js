/**
 * The dialogs of a row: one at a time, kept current, and afterwards the focus is back on the button that asked.
 *
 * @import { Entry } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 *
 * @typedef {object} Opened
 * @property {HTMLDialogElement} element
 * @property {(entry: Entry) => void} [update]  the entry changed
 *
 * @typedef {object} Means
 * @property {() => string} grant  the newest access grant for the list
 * @property {(visit: string) => void} close  ends a visit
 */

import { MessagesApi } from '../messages-api.js';
import { delayDialog } from './delay-dialog.js';
import { messagesDialog } from './messages-dialog.js';
import { endDialog } from './practice-end.js';

export class RowDialogs {
  #host;
  #means;
  /** @type {(Opened & { visit: string }) | null} */
  #opened = null;

  /** @param {VsdkElement} host @param {Means} means */
  constructor(host, means) {
    this.#host = host;
    this.#means = means;
  }

  /** @param {'end' | 'messages' | 'delay'} what @param {Entry} entry */
  open(what, entry) {
    this.dismiss();
    const opened = this.#make(what, entry);
    this.#opened = { ...opened, visit: entry.visit };
    opened.element.addEventListener('close', () => {
      if (this.#opened?.element === opened.element) this.#opened = null;
      opened.element.remove();
      this.#focus(`${entry.visit}/${what}`);
    });
    this.#host.shadowRoot?.append(opened.element);
    opened.element.showModal();
  }

  /** @param {Entry[]} entries */
  update(entries) {
    const entry = entries.find(({ visit }) => visit === this.#opened?.visit);
    if (entry) this.#opened?.update?.(entry);
  }

  dismiss() {
    this.#opened?.element.close();
  }

  /** @param {'end' | 'messages' | 'delay'} what @param {Entry} entry @returns {Opened} */
  #make(what, entry) {
    const host = this.#host;
    const api = new MessagesApi(host.server, this.#means.grant);
    if (what === 'messages') return messagesDialog(host, entry, api);
    if (what === 'delay') return delayDialog(host, entry, api);
    return { element: endDialog(entry, host.t.bind(host), () => this.#means.close(entry.visit)) };
  }

  /** The row may have been drawn anew meanwhile. @param {string} key */
  #focus(key) {
    const found = this.#host.shadowRoot?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    /** @type {HTMLElement | null} */ (found ?? null)?.focus();
  }
}
