/**
 * The picture of one other person, with their name, what they have switched off, and how the line is.
 *
 * @import { Peer as Connection } from '../peer.js'
 * @import { Interrupted, Peer as Info } from '../protocol.js'
 * @import { Practice } from './interruption-cards.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { theirWords, waysBack } from './interruption-cards.js';

/** A line that does not come to stand within this time counts as broken. */
const STANDS_WITHIN = 15_000;

export class RemoteView {
  #host;
  #onSilenced;
  #zone;
  #video = h('video', { part: 'remote', autoplay: true, playsinline: true });
  #screen = h('video', { part: 'screen', autoplay: true, playsinline: true, hidden: true });
  #name = h('figcaption', { class: 'name' });
  #hidden = h('p', { class: 'covered' });
  #badge = h('p', { class: 'badge', role: 'status' });
  #words = h('div', { role: 'status' });
  #away = h('div', { hidden: true }, this.#words);
  /** @type {HTMLElement | null} */ #ways = null;
  #shown = '';
  /** The line has broken, or never stood, and is not back yet. */
  #broken = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #late;
  /** Shows what was shown last, with what is known now. */
  #again = () => {};

  /**
   * @param {VsdkElement} host
   * @param {() => void} onSilenced  the browser plays sound only after a click
   * @param {string | undefined} zone  the practice's time zone
   */
  constructor(host, onSilenced, zone) {
    this.#host = host;
    this.#zone = zone;
    this.#onSilenced = onSilenced;
    this.#screen.muted = true;
    this.node = h('figure', { class: 'remote' }, this.#screen, this.#video, this.#hidden, this.#away, this.#badge, this.#name);
  }

  remove() {
    clearTimeout(this.#late);
    this.#video.srcObject = this.#screen.srcObject = null;
    this.node.remove();
  }

  /**
   * @param {Info} info
   * @param {Connection | undefined} connection
   * @param {Practice | null} practice  what only those who may let people in can do
   * @param {boolean} several  others are there too, so that it matters who is what
   */
  update(info, connection, practice, several) {
    const { microphone, camera, screen } = connection?.remoteSwitches ?? { microphone: true, camera: true, screen: false };
    if (connection && this.#video.srcObject !== connection.remote) {
      this.#video.srcObject = connection.remote;
      this.play();
    }
    const quality = connection?.quality ?? 'connecting';
    const interruption = connection?.remoteInterruption ?? null;
    this.#again = () => this.update(info, connection, practice, several);
    this.#judge(quality);
    const { name, lost } = info;
    const role = several || (info.role !== 'patient' && info.role !== 'practitioner') ? info.role : '';
    const shown = JSON.stringify([name, role, microphone, camera, screen, quality, lost, interruption, practice?.phone, this.#broken]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const t = this.#host.t.bind(this.#host);
    this.#video.setAttribute('aria-label', t('visit.stage.picture-of', { name: info.name }));
    this.#showScreen(screen && connection ? connection.remoteScreen : null, t('visit.stage.screen-of', { name: info.name }));
    this.#video.hidden = screen && !camera;
    this.#name.replaceChildren(
      h('span', { text: info.name || t(`practice.role-${info.role}`) }),
      info.name && role ? h('span', { class: 'status', text: t(`practice.role-${role}`) }) : '',
      microphone ? '' : h('span', { class: 'status' }, icon('microphone-off'), t('visit.stage.their-microphone-off')),
    );
    const word = quality === 'good' || interruption ? '' : quality === 'lost' && info.lost ? 'away' : quality;
    const stays = interruption !== null || (this.#broken && practice !== null);
    this.#showWords(interruption ? theirWords(this.#host, interruption, info.name, this.#zone) : stays ? this.#line(word) : []);
    this.#away.hidden = !stays;
    this.#away.className = interruption?.kinds.includes('video') ? 'away covers' : 'away';
    this.#offer(stays ? practice : null);
    this.#hidden.hidden = camera || screen || interruption !== null;
    this.#hidden.replaceChildren(icon('person'), t('visit.stage.their-camera-off'));
    this.#say(stays ? '' : word);
  }

  /** The others' shared screen takes their place; their own picture becomes small. @param {MediaStream | null} stream @param {string} label */
  #showScreen(stream, label) {
    this.node.className = stream ? 'remote sharing' : 'remote';
    this.#screen.hidden = !stream;
    this.#screen.setAttribute('aria-label', label);
    if (this.#screen.srcObject === stream) return;
    this.#screen.srcObject = stream;
    void this.#screen.play().catch(() => {});
  }

  /** The picture, for picture-in-picture. */
  get picture() {
    return this.#screen.hidden ? this.#video : this.#screen;
  }

  /** Where sound comes out, where the browser lets us choose. @param {string} id  a `deviceId`, or empty */
  setSpeaker(id) {
    const { sinkId } = this.#video;
    if (sinkId !== undefined && sinkId !== id) void this.#video.setSinkId(id).catch(() => {});
  }

  /** @param {string} quality */
  #judge(quality) {
    if (quality === 'lost' || quality === 'good') {
      this.#broken = quality === 'lost';
      clearTimeout(this.#late);
      this.#late = undefined;
    } else if (!this.#broken) {
      this.#late ??= setTimeout(() => {
        this.#broken = true;
        this.#again();
      }, STANDS_WITHIN);
    }
  }

  /** What is said once is not said again. @param {HTMLElement[]} words */
  #showWords(words) {
    if (this.#words.textContent === words.map((word) => word.textContent).join('')) return;
    this.#words.replaceChildren(...words);
  }

  /** The ways back stay what they are, with a number that was asked for, until nobody is away. @param {Practice | null} practice */
  #offer(practice) {
    if (practice && !this.#ways) this.#away.append((this.#ways = waysBack(this.#host, practice)));
    if (practice) return;
    this.#ways?.remove();
    this.#ways = null;
  }

  /** @param {string} word */
  #line(word) {
    return [h('p', { class: 'lead status' }, icon('warning'), this.#host.t(`visit.quality.${word}`))];
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
