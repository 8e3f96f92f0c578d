/**
 * What all our elements share: a shadow root with our styles, texts, one step at a time, a live region.
 */

import { base, tokens } from './styles.js';
import { loadTexts } from './texts.js';

/** @typedef {{[K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void}} DomListeners */
/** @typedef {{[name: `vsdk-${string}`]: (event: CustomEvent) => void}} OwnListeners */
/**
 * `text` is set as text, `on` adds listeners, everything else becomes an attribute: true an empty one, false,
 * null and undefined none.
 *
 * @typedef {{class?: string, text?: string, on?: DomListeners & OwnListeners, [attribute: string]: unknown}} Props
 */
/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Builds an element. Text stays text: nothing here is ever read as HTML.
 *
 * @template {string} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {K extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[K] : HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const { text, on, ...attributes } = props;
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const [name, listener] of Object.entries(on ?? {})) {
    element.addEventListener(name, /** @type {EventListener} */ (listener));
  }
  if (text !== undefined) element.textContent = text;
  for (const child of children) if (child) element.append(child);
  return /** @type {any} */ (element);
}

/** This module is `<server>/static/<hash>/ui/element.js`. */
const LOADED_FROM = new URL('../../..', import.meta.url).href.replace(/\/+$/, '');

/** How long to wait before asking for the texts again, in milliseconds. */
const TEXTS_AGAIN = 3000;

if (!document.adoptedStyleSheets.includes(tokens)) {
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, tokens];
}

/**
 * Subclasses implement `start()` and `stop()`, and may add sheets of their own: `static sheets = [sheet]`.
 * Until the first `show`, the element's own children are seen.
 */
export class VsdkElement extends HTMLElement {
  /** @type {CSSStyleSheet[]} */
  static sheets = [];

  /** @type {import('./texts.js').Translate} */
  #texts = (key) => key;
  #shown = false;
  #connection = 0;
  #main = h('div', { class: 'main', part: 'main' }, h('slot'));
  #live = h('p', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const own = /** @type {typeof VsdkElement} */ (this.constructor).sheets;
    root.adoptedStyleSheets = [base, ...own];
    root.append(this.#main, this.#live);
  }

  /** The part that `show` fills. */
  get main() {
    return this.#main;
  }

  /** Base address of the server, without a slash at the end: attribute `server`, or where this module is from. */
  get server() {
    const named = this.getAttribute('server');
    return named ? new URL(named, document.baseURI).href.replace(/\/+$/, '') : LOADED_FROM;
  }

  /** Loads the texts; tries again until the server answers or the element is removed. */
  async ready() {
    for (;;) {
      try {
        this.#texts = await loadTexts(this.server, this.lang);
        return;
      } catch (error) {
        if (!this.isConnected) throw error;
        await new Promise((resolve) => setTimeout(resolve, TEXTS_AGAIN));
      }
    }
  }

  /**
   * @param {string} key
   * @param {import('./texts.js').Values} [values]
   */
  t(key, values) {
    return this.#texts(key, values);
  }

  /**
   * Shows a new step. Focus goes to its first heading, except for the very first step: a page that loads
   * does not take the focus.
   *
   * @param {...Child} nodes
   */
  show(...nodes) {
    this.#main.replaceChildren();
    for (const node of nodes) if (node) this.#main.append(node);
    if (this.#shown) {
      const heading = /** @type {HTMLElement | null} */ (this.#main.querySelector('h1, h2, h3'));
      heading?.setAttribute('tabindex', '-1');
      heading?.focus();
    }
    this.#shown = true;
  }

  /**
   * Says something politely to those who listen to the page.
   *
   * @param {string} text
   */
  announce(text) {
    this.#live.textContent = '';
    setTimeout(() => (this.#live.textContent = text), 100);
  }

  /**
   * @param {string} name
   * @param {unknown} [detail]
   * @returns {boolean} false when somebody who heard it does what was to follow
   */
  emit(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  async connectedCallback() {
    const connection = ++this.#connection;
    if (!this.lang) {
      const outer = /** @type {HTMLElement | null} */ (this.closest('[lang]'));
      this.setAttribute('lang', outer?.lang || document.documentElement.lang || 'en');
    }
    await this.ready().catch(() => {});
    if (this.isConnected && connection === this.#connection) await this.start();
  }

  disconnectedCallback() {
    this.#connection++;
    this.stop();
  }

  /** @returns {Promise<void>} */
  async start() {}

  /** Called when the element is removed; may be called before `start`. */
  stop() {}
}
