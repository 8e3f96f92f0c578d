/**
 * `<vsdk-visit-stage>`: the visit itself. The others fill the space, oneself sits in a corner, one bar of controls.
 *
 * Set `connection` and `media` before it is added, and call `update()` when the connection has changed.
 * Emits `vsdk-hang-up`.
 *
 * @import { Media } from '../media.js'
 * @import { Peer } from '../peer.js'
 * @import { VisitConnection } from '../visit.js'
 */

import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { RemoteView } from './remote-view.js';
import { stageSheet } from './stage-styles.js';

const CORNERS = ['bottom-end', 'top-end', 'top-start', 'bottom-start'];

export class VisitStage extends VsdkElement {
  static sheets = [stageSheet];

  /** @type {VisitConnection | null} */
  connection = null;
  /** @type {Media | null} */
  media = null;
  /** Who is expected, while nobody is there. */
  expected = '';
  /** @type {Map<string, RemoteView>} */ #views = new Map();
  #corner = 0;
  #built = false;
  #heading = h('h2', { class: 'visually-hidden', tabindex: -1 });
  #remotes = h('div', { class: 'remotes' });
  #alone = h('p', { class: 'alone lead' });
  #banner = h('div', { class: 'banner', role: 'status' });
  #knocks = h('div', { class: 'knocks' });
  #self = h('video', { part: 'self', autoplay: true, playsinline: true });
  #selfButton = h('button', { class: 'self', on: { click: () => this.#move() } }, this.#self);
  #microphone = h('button', { on: { click: () => this.#toggle('microphone') } });
  #camera = h('button', { on: { click: () => this.#toggle('camera') } });
  #sound = h('button', { class: 'primary sound', hidden: true, on: { click: () => this.#unmute() } });
  #onMedia = () => this.#mediaChanged();
  #onVisible = () => void (document.visibilityState === 'visible' && this.#play());

  async start() {
    this.#self.muted = true;
    this.#selfButton.setAttribute('aria-label', this.t('visit.stage.move-self'));
    this.#sound.replaceChildren(icon('speaker'), this.t('visit.stage.sound'));
    this.media?.addEventListener('change', this.#onMedia);
    document.addEventListener('visibilitychange', this.#onVisible);
    this.show(
      h(
        'div',
        { class: 'stage' },
        this.#heading,
        h('div', { class: 'picture' }, this.#remotes, this.#alone, this.#selfButton, this.#sound),
        h('div', { class: 'over' }, this.#banner, this.#knocks),
        h(
          'div',
          { class: 'bar', role: 'group', 'aria-label': this.t('visit.stage.controls') },
          this.#microphone,
          this.#camera,
          this.#button('refresh', 'visit.stage.restart', () => this.#restart()),
          this.#button('hang-up', 'visit.stage.hang-up', () => this.emit('vsdk-hang-up'), 'danger'),
        ),
      ),
    );
    this.#built = true;
    this.#place();
    this.#mediaChanged();
    this.update();
    this.#heading.focus();
  }

  stop() {
    this.media?.removeEventListener('change', this.#onMedia);
    document.removeEventListener('visibilitychange', this.#onVisible);
  }

  /** Show what the connection now is. */
  update() {
    const { connection } = this;
    if (!this.#built || !connection) return;
    const infos = connection.state.peers;
    for (const [participant, view] of this.#views) {
      if (infos[participant]) continue;
      view.remove();
      this.#views.delete(participant);
    }
    for (const info of Object.values(infos)) {
      let view = this.#views.get(info.participant);
      if (!view) {
        view = new RemoteView(this, () => (this.#sound.hidden = false));
        this.#views.set(info.participant, view);
        this.#remotes.append(view.node);
      }
      view.update(info, connection.peers.get(info.participant));
    }
    const names = Object.values(infos).map((info) => info.name);
    const title = this.t('visit.stage.title', { name: names.join(', ') || this.expected });
    if (this.#heading.textContent !== title) this.#heading.textContent = title;
    const admitted = connection.state.phase === 'admitted';
    this.#alone.hidden = names.length > 0;
    const alone = this.t(admitted ? 'visit.stage.alone' : 'visit.stage.connecting', { name: this.expected });
    if (this.#alone.textContent !== alone) this.#alone.textContent = alone;
    this.#showBanner(connection.signallingState === 'down');
    this.#showKnocks();
  }

  /** @param {boolean} away */
  #showBanner(away) {
    if (away === this.#banner.hasChildNodes()) return;
    this.#banner.replaceChildren(
      ...(away ? [h('p', { class: 'notice fair' }, icon('wifi'), this.t('visit.stage.away'))] : []),
    );
  }

  /** Someone else waits at the door: only who may let people in sees it. */
  #showKnocks() {
    const people = this.connection?.state.entry?.people ?? [];
    const waiting = people.filter((person) => person.waiting && person.present);
    const key = waiting.map((person) => person.participant).join(' ');
    if (this.#knocks.dataset.key === key) return;
    this.#knocks.dataset.key = key;
    this.#knocks.replaceChildren(
      ...waiting.map((person) =>
        h(
          'p',
          { class: 'notice' },
          h('span', { text: this.t('visit.lobby.waits', { name: person.name }) }),
          h('button', {
            text: this.t('visit.lobby.admit'),
            on: { click: () => this.connection?.admit(person.participant) },
          }),
        ),
      ),
    );
    if (waiting[0]) this.announce(this.t('visit.lobby.waits', { name: waiting[0].name }));
  }

  /** @param {'microphone' | 'camera'} kind */
  #toggle(kind) {
    const { media } = this;
    if (!media) return;
    const on = !media.switches[kind];
    if (kind === 'microphone') media.setMicrophone(on);
    else media.setCamera(on);
    this.announce(this.t(`visit.stage.${kind}-${media.switches[kind] ? 'on' : 'off'}`));
  }

  #mediaChanged() {
    const { media } = this;
    if (!media) return;
    const { tracks, switches } = media;
    this.#control(this.#microphone, 'microphone', switches.microphone, tracks.audio);
    this.#control(this.#camera, 'camera', switches.camera, tracks.video);
    this.#self.srcObject = media.stream;
    this.#selfButton.hidden = !switches.camera;
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {'microphone' | 'camera'} kind
   * @param {boolean} on
   * @param {MediaStreamTrack | null} track
   */
  #control(button, kind, on, track) {
    const word = track ? (on ? 'on' : 'off') : 'none';
    button.disabled = !track;
    button.className = on ? kind : `${kind} off`;
    button.replaceChildren(icon(on ? kind : `${kind}-off`), this.t(`visit.stage.${kind}-${word}`));
  }

  /**
   * @param {import('../ui/icons.js').IconName} name
   * @param {string} key
   * @param {() => void} act
   * @param {string} [kind]
   */
  #button(name, key, act, kind) {
    return h('button', { class: kind ?? name, on: { click: act } }, icon(name), this.t(key));
  }

  #restart() {
    this.connection?.restart();
    this.announce(this.t('visit.stage.restarting'));
  }

  #move() {
    this.#corner = (this.#corner + 1) % CORNERS.length;
    this.#place();
  }

  #place() {
    this.#selfButton.className = `self ${CORNERS[this.#corner]}`;
  }

  #unmute() {
    this.#sound.hidden = true;
    for (const view of this.#views.values()) view.unmute();
  }

  /** Some phones pause pictures of hidden pages and leave them so. */
  #play() {
    for (const view of this.#views.values()) view.play();
    void this.#self.play().catch(() => {});
  }
}

customElements.define('vsdk-visit-stage', VisitStage);
