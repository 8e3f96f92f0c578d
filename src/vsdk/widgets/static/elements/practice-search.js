/**
 * Finding people in a long list, and its keys: `/` into the search, arrows from row to row, `a` admits whoever waits
 * longest. The keys count while the focus is in the list and not in a field (WCAG 2.2, 2.1.4).
 *
 * @import { Entry } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';

/** A shorter list needs no search. */
const LONG = 8;

export class PracticeSearch {
  #host;
  #changed;
  #label = h('label', { class: 'visually-hidden', for: 'search' });
  #input = h('input', { id: 'search', type: 'search', autocomplete: 'off', 'aria-keyshortcuts': '/', on: { input: () => this.#changed() } });
  node = h('div', { class: 'search', hidden: true }, this.#label, this.#input);

  /** @param {VsdkElement} host @param {() => void} changed */
  constructor(host, changed) {
    this.#host = host;
    this.#changed = changed;
  }

  /** Those who are looked for; whoever waits is never left out. @param {Entry[]} entries @param {(entry: Entry) => boolean} here */
  among(entries, here) {
    const words = this.#host.t('practice.search');
    this.#label.textContent = words;
    this.#input.setAttribute('placeholder', words);
    const wanted = plain(/** @type {HTMLInputElement} */ (this.#input).value);
    this.node.hidden = entries.length < LONG && !wanted;
    return wanted ? entries.filter((entry) => here(entry) || entry.people.some(({ name }) => plain(name).includes(wanted))) : entries;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target === this.#input) {
      if (key === 'Escape') this.#clear();
      else if (key === 'ArrowDown') this.#step(1);
      else return;
    } else if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
    else if (key === '/' && !this.node.hidden) this.#input.focus();
    else if (key === 'a') /** @type {HTMLElement | undefined} */ (this.#all('[data-key$="/admit"]')[0])?.click();
    else if (key === 'ArrowDown' || key === 'ArrowUp') this.#step(key === 'ArrowDown' ? 1 : -1);
    else return;
    event.preventDefault();
  }

  #clear() {
    /** @type {HTMLInputElement} */ (this.#input).value = '';
    this.#changed();
  }

  /** To the first button of the next or previous row. @param {1 | -1} by */
  #step(by) {
    const rows = this.#all('li.row');
    const active = this.#host.shadowRoot?.activeElement;
    const at = rows.findIndex((row) => row.contains(active ?? null));
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector('button'))?.focus();
  }

  /** @param {string} what */
  #all(what) {
    return [...(this.#host.shadowRoot?.querySelectorAll(what) ?? [])];
  }
}

/** As people type names: without accents and capitals. @param {string} text */
function plain(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 'ss').trim();
}
