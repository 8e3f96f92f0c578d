/**
 * The picture of one other person, with their name, what they have switched off, and how the line is.
 *
 * @import { Peer as Connection } from '../peer.js'
 * @import { Peer as Info } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

export class RemoteView {
  #host;
  #onSilenced;
  #video = h('video', { part: 'remote', autoplay: true, playsinline: true });
  #name = h('figcaption', { class: 'name' });
  #hidden = h('p', { class: 'covered' });
  #badge = h('p', { class: 'badge', role: 'status' });
  #shown = '';

  /**
   * @param {VsdkElement} host
   * @param {() => void} onSilenced  the browser plays sound only after a click
   */
  constructor(host, onSilenced) {
    this.#host = host;
    this.#onSilenced = onSilenced;
    this.node = h('figure', { class: 'remote' }, this.#video, this.#hidden, this.#badge, this.#name);
  }

  remove() {
    this.#video.srcObject = null;
    this.node.remove();
  }

  /** @param {Info} info @param {Connection | undefined} connection */
  update(info, connection) {
    const { microphone, camera } = connection?.remoteSwitches ?? { microphone: true, camera: true };
    if (connection && this.#video.srcObject !== connection.remote) {
      this.#video.srcObject = connection.remote;
      this.play();
    }
    const quality = connection?.quality ?? 'connecting';
    const shown = [info.name, microphone, camera, quality, info.lost].join('|');
    if (shown === this.#shown) return;
    this.#shown = shown;
    const t = this.#host.t.bind(this.#host);
    this.#video.setAttribute('aria-label', t('visit.stage.picture-of', { name: info.name }));
    this.#name.replaceChildren(
      h('span', { text: info.name }),
      microphone ? '' : h('span', { class: 'status' }, icon('microphone-off'), t('visit.stage.their-microphone-off')),
    );
    this.#hidden.hidden = camera;
    this.#hidden.replaceChildren(icon('person'), t('visit.stage.their-camera-off'));
    this.#say(quality === 'good' ? '' : quality === 'lost' && info.lost ? 'away' : quality);
  }

  play() {
    void this.#video.play().catch((error) => {
      if (error.name !== 'NotAllowedError') return;
      this.#video.muted = true;
      this.#onSilenced();
      void this.#video.play().catch(() => {});
    });
  }

  unmute() {
    this.#video.muted = false;
    this.play();
  }

  /** @param {'' | 'connecting' | 'unstable' | 'lost' | 'away'} word */
  #say(word) {
    this.#badge.hidden = word === '';
    if (word === '') return;
    this.#badge.className = `badge status ${word === 'connecting' ? '' : word === 'unstable' ? 'fair' : 'bad'}`;
    this.#badge.replaceChildren(
      icon(word === 'connecting' ? 'clock' : 'warning'),
      this.#host.t(`visit.quality.${word}`),
    );
  }
}
