/**
 * The dialog *More* of a visit: which camera, microphone and loudspeaker, how one sees oneself, and how large the
 * others are. It follows devices that are plugged in or pulled out while it is open.
 *
 * @import { Media } from '../media.js'
 * @import { Device, Preferences } from '../preferences.js'
 * @import { Report } from '../report.js'
 * @import { VsdkElement } from '../ui/element.js'
 * @import { IconName } from '../ui/icons.js'
 *
 * @typedef {object} Stage  what the visit around it does
 * @property {Media} media
 * @property {Report} report
 * @property {() => void} arrange  a preference is another one
 * @property {() => HTMLVideoElement | null} picture  of somebody else
 * @property {{ word: string, act: () => void }[]} screen  what can be done about shared screens
 */

import { devices, prefer, preferences } from '../preferences.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { reportButtons } from './report-buttons.js';

const KINDS = /** @type {const} */ (['camera', 'microphone', 'speaker']);

export class StageSettings {
  #host;
  #stage;
  #said = h('p', { class: 'small', role: 'status' });
  #lists = h('div', { class: 'stack lists' });
  #meter = h('meter', { min: 0, max: 1 });
  #known = '';
  #open = true;
  #changed = () => void this.#list(true);

  /** @param {VsdkElement} host @param {Stage} stage */
  constructor(host, stage) {
    this.#host = host;
    this.#stage = stage;
    const t = host.t.bind(host);
    this.#meter.setAttribute('aria-label', t('visit.check.level'));
    this.node = h(
      'dialog',
      { class: 'settings', 'aria-label': t('visit.settings.title'), on: { close: () => this.#closed() } },
      h(
        'div',
        { class: 'stack' },
        h('h2', { text: t('visit.settings.title') }),
        this.#lists,
        this.#said,
        h('div', { class: 'stack choices' }, ...this.#choices()),
        h('div', { class: 'buttons' }, ...this.#actions()),
        h('details', {}, h('summary', { text: t('report.title') }), reportButtons(host, stage.report)),
        h('button', { class: 'primary', text: t('visit.settings.done'), on: { click: () => this.node.close() } }),
      ),
    );
  }

  /** Call once it stands in the page. */
  async show() {
    navigator.mediaDevices.addEventListener('devicechange', this.#changed);
    await this.#list(false);
    if (!this.node.isConnected) return this.#closed();
    this.node.showModal();
    this.#listen();
  }

  #closed() {
    if (!this.#open) return;
    this.#open = false;
    navigator.mediaDevices.removeEventListener('devicechange', this.#changed);
    this.#stage.media.closeMeter();
    this.node.remove();
  }

  /** Also the end, when the visit around it is gone. */
  #listen() {
    if (!this.node.isConnected) return this.#closed();
    this.#meter.value = this.#stage.media.level();
    requestAnimationFrame(() => this.#listen());
  }

  /** @param {boolean} changed  a device came or went */
  async #list(changed) {
    const found = await devices();
    const known = JSON.stringify(found);
    if (known === this.#known) return;
    this.#known = known;
    const focused = /** @type {HTMLElement | undefined} */ (this.#lists.querySelector(':focus'))?.id;
    const fields = KINDS.flatMap((kind) => (found[kind].length ? [this.#field(kind, found[kind])] : []));
    this.#lists.replaceChildren(...fields);
    if (focused) /** @type {HTMLElement | null} */ (this.#lists.querySelector(`#${focused}`))?.focus();
    if (changed) this.#say('visit.settings.changed');
  }

  /** @param {Device} kind @param {{ id: string, name: string }[]} found */
  #field(kind, found) {
    const t = this.#host.t.bind(this.#host);
    const current = this.#current(kind);
    const options = found.map(({ id, name }, at) =>
      h('option', { value: id, selected: id === current, text: name || t('visit.settings.nameless', { number: at + 1 }) }),
    );
    const id = `choose-${kind}`;
    const select = h('select', { id }, ...options);
    select.addEventListener('change', () => void this.#use(kind, select));
    const meter = kind === 'microphone' && this.#stage.media.tracks.audio ? this.#meter : null;
    return h('div', { class: 'field' }, h('label', { for: id, text: t(`visit.settings.${kind}`) }), select, meter);
  }

  /** @param {Device} kind */
  #current(kind) {
    if (kind === 'speaker') return preferences().speaker || 'default';
    const track = kind === 'camera' ? this.#stage.media.tracks.video : this.#stage.media.tracks.audio;
    return track?.getSettings().deviceId ?? '';
  }

  /** @param {Device} kind @param {HTMLSelectElement} select */
  async #use(kind, select) {
    const { media } = this.#stage;
    select.disabled = true;
    this.#said.textContent = '';
    const failure = kind === 'speaker' ? (prefer({ speaker: select.value }), null) : await media.use(kind, select.value);
    select.disabled = false;
    select.focus();
    if (failure) select.value = this.#current(kind);
    this.#say(failure ? `media.failure.${failure}.title` : 'visit.settings.in-use');
    this.#stage.arrange();
  }

  #choices() {
    const names = /** @type {const} */ (['self', 'mirror', 'blur']);
    return names.flatMap((name) => (name === 'blur' && !this.#stage.media.canBlur ? [] : [this.#choice(name)]));
  }

  /** @param {'self' | 'mirror' | 'blur'} name */
  #choice(name) {
    const box = h('input', { type: 'checkbox', checked: preferences()[name] });
    box.addEventListener('change', () => {
      if (name === 'blur') void this.#stage.media.blur(box.checked);
      else prefer(/** @type {Partial<Preferences>} */ ({ [name]: box.checked }));
      this.#stage.arrange();
    });
    return h('label', { class: 'choice' }, box, this.#host.t(`visit.settings.${name}`));
  }

  #actions() {
    const actions = this.#stage.screen.map(({ word, act }) => this.#action('screen', word, act));
    const picture = this.#stage.picture();
    if (document.pictureInPictureEnabled && picture) {
      const act = () => void picture.requestPictureInPicture().catch(() => {});
      actions.push(this.#action('picture-in-picture', 'visit.settings.picture-in-picture', act));
    }
    if (document.fullscreenEnabled) {
      const full = document.fullscreenElement !== null;
      const act = () => void (full ? document.exitFullscreen() : this.#host.requestFullscreen()).catch(() => {});
      actions.push(this.#action('full-screen', `visit.settings.${full ? 'leave-' : ''}full-screen`, act));
    }
    return actions;
  }

  /** The dialog is in the way of what follows. @param {IconName} name @param {string} word @param {() => void} act */
  #action(name, word, act) {
    const click = () => {
      this.node.close();
      act();
    };
    return h('button', { on: { click } }, icon(name), this.#host.t(word));
  }

  /** @param {string} key */
  #say(key) {
    this.#said.textContent = this.#host.t(key);
  }
}
