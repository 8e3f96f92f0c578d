/**
 * `<vsdk-visit-stage>`: the visit itself. The others fill the space, oneself sits in a corner, one bar of controls.
 *
 * Set `connection` and `media` before it is added, and call `update()` when the connection has changed.
 * Emits `vsdk-hang-up`, and `vsdk-anew` where only a new start brings sound and picture back.
 *
 * @import { Interruption } from '../interruption.js'
 * @import { Media } from '../media.js'
 * @import { Peer } from '../peer.js'
 * @import { Person } from '../protocol.js'
 * @import { VisitConnection } from '../visit.js'
 */

import { preferences } from '../preferences.js';
import { goingOnSince } from '../resume.js';
import { ScreenShare, canShareScreen } from '../screen-share.js';
import { elapsed } from '../times.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { ChatDrawer } from './chat-drawer.js';
import { CompareDialog } from './compare-dialog.js';
import { ownCard, waysBack } from './interruption-cards.js';
import { RemoteView } from './remote-view.js';
import { StageSettings } from './stage-settings.js';
import { stageSheet } from './stage-styles.js';

const CORNERS = ['bottom-end', 'top-end', 'top-start', 'bottom-start'];

export class VisitStage extends VsdkElement {
  static sheets = [stageSheet];

  /** @type {VisitConnection | null} */
  connection = null;
  /** @type {Media | null} */
  media = null;
  /** @type {Interruption | null} */
  interruption = null;
  /** @type {string | undefined} the practice's time zone */
  zone;
  /** Who is expected, while nobody is there. */
  expected = '';
  /** @type {Map<string, RemoteView>} */ #views = new Map();
  /** Somebody else was there before. */
  #met = false;
  #corner = 0;
  #built = false;
  #heading = h('h2', { class: 'visually-hidden', tabindex: -1 });
  #remotes = h('div', { class: 'remotes' });
  #aloneWords = h('p', { class: 'lead' });
  #alone = h('div', { class: 'alone' }, this.#aloneWords);
  /** @type {HTMLElement | null} */ #ways = null;
  #banner = h('div', { class: 'banner', role: 'status' });
  #own = h('div', { role: 'status' });
  #knocks = h('div', { class: 'knocks' });
  #shared = h('div', { role: 'status' });
  #clock = h('span');
  #elapsed = h('p', { class: 'elapsed', role: 'timer', hidden: true }, icon('clock'), this.#clock);
  #lock = h('button', { hidden: true, on: { click: () => this.#compare() } });
  /** @type {CompareDialog | null} */ #comparing = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #ticking;
  #chat = new ChatDrawer(this);
  #share = new ScreenShare();
  #self = h('video', { part: 'self', autoplay: true, playsinline: true });
  #selfButton = h('button', { class: 'self', on: { click: () => this.#move() } }, this.#self);
  #microphone = h('button', { on: { click: () => this.#toggle('microphone') } });
  #camera = h('button', { on: { click: () => this.#toggle('camera') } });
  #sound = h('button', { class: 'primary sound', hidden: true, on: { click: () => this.#unmute() } });
  #onInterruption = () => {
    this.#showOwn();
    if (!this.interruption?.told) this.#play();
  };
  #onMedia = () => this.#mediaChanged();
  #onShare = () => {
    this.connection?.setScreen(this.#share.track);
    this.#showShared();
  };
  #onVisible = () => void (document.visibilityState === 'visible' && this.#play());

  async start() {
    this.#self.muted = true;
    this.#selfButton.setAttribute('aria-label', this.t('visit.stage.move-self'));
    this.#sound.replaceChildren(icon('speaker'), this.t('visit.stage.sound'));
    this.media?.addEventListener('change', this.#onMedia);
    this.interruption?.addEventListener('change', this.#onInterruption);
    this.#share.addEventListener('change', this.#onShare);
    document.addEventListener('visibilitychange', this.#onVisible);
    this.show(
      h(
        'div',
        { class: 'stage' },
        this.#heading,
        h(
          'div',
          { class: 'body' },
          h('div', { class: 'picture' }, this.#remotes, this.#alone, this.#selfButton, h('div', { class: 'chips' }, this.#elapsed, this.#lock), this.#sound),
          this.#chat.node,
        ),
        h('div', { class: 'over' }, this.#own, this.#shared, this.#banner, this.#knocks),
        h(
          'div',
          { class: 'bar', role: 'group', 'aria-label': this.t('visit.stage.controls') },
          this.#microphone,
          this.#camera,
          this.#chat.button,
          this.#button('refresh', 'visit.stage.restart', () => this.#restart()),
          this.#button('settings', 'visit.stage.more', () => this.#more()),
          this.#button('hang-up', 'visit.stage.hang-up', () => this.emit('vsdk-hang-up'), 'danger'),
        ),
      ),
    );
    this.#built = true;
    if (this.connection) this.#chat.build(this.connection, this.zone);
    this.#place();
    this.#mediaChanged();
    this.#showOwn();
    this.update();
    this.#heading.focus();
  }

  stop() {
    this.media?.removeEventListener('change', this.#onMedia);
    this.interruption?.removeEventListener('change', this.#onInterruption);
    document.removeEventListener('visibilitychange', this.#onVisible);
    clearInterval(this.#ticking);
    this.#share.end();
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
        view = new RemoteView(this, () => (this.#sound.hidden = false), this.zone);
        this.#views.set(info.participant, view);
        view.setSpeaker(preferences().speaker);
        this.#remotes.append(view.node);
      }
      const ways = this.#practiceWays(({ participant }) => participant === info.participant);
      view.update(info, connection.peers.get(info.participant), ways, Object.keys(infos).length > 1);
    }
    const names = Object.values(infos).map((info) => info.name);
    const title = this.t('visit.stage.title', { name: names.join(', ') || this.expected });
    if (this.#heading.textContent !== title) this.#heading.textContent = title;
    const admitted = connection.state.phase === 'admitted';
    this.#showAlone(names.length === 0, admitted);
    this.#showBanner(connection.signallingState === 'down');
    this.#showKnocks();
    this.#count();
    this.#showLock();
    this.#chat.update();
  }

  /** Whether it was compared that nobody is in between; the worst word of all that are there. */
  #showLock() {
    const { connection } = this;
    const words = Object.keys(connection?.state.peers ?? {}).map((participant) => connection?.trust(participant) ?? 'none');
    const trust = /** @type {const} */ (['different', 'open', 'same']).find((word) => words.includes(word)) ?? 'none';
    this.#comparing?.update();
    if (this.#lock.dataset.trust === trust) return;
    this.#lock.dataset.trust = trust;
    this.#lock.hidden = trust === 'none';
    this.#lock.className = trust;
    this.#lock.replaceChildren(icon(trust === 'different' ? 'warning' : trust === 'same' ? 'check' : 'lock'), this.t(`visit.trust.${trust}`));
    if (trust === 'different') this.announce(this.t('visit.trust.different-text'));
  }

  #compare() {
    if (!this.connection) return;
    const dialog = new CompareDialog(this, this.connection, () => this.emit('vsdk-hang-up'));
    this.#comparing = dialog;
    dialog.node.addEventListener('close', () => (this.#comparing = null));
    this.main.append(dialog.node);
    dialog.node.showModal();
  }

  /** From the first moment that two saw each other; a page that was loaded anew goes on counting. */
  #count() {
    const { connection } = this;
    const visit = connection?.state.visit;
    if (this.#ticking || !visit || ![...connection.peers.values()].some(({ quality }) => quality === 'good')) return;
    const since = goingOnSince(visit.id);
    const tick = () => (this.#clock.textContent = elapsed(Date.now() - since));
    this.#ticking = setInterval(tick, 1000);
    tick();
    this.#elapsed.setAttribute('aria-label', this.t('visit.stage.elapsed'));
    this.#elapsed.hidden = false;
  }

  #more() {
    const { connection, media } = this;
    if (!connection || !media) return;
    const settings = new StageSettings(this, {
      media,
      report: connection.report,
      arrange: () => this.#mediaChanged(),
      picture: () => [...this.#views.values()][0]?.picture ?? null,
      screen: this.#screenActions(),
    });
    this.main.append(settings.node);
    void settings.show();
  }

  /** Whoever lets people in may show their screen, and ask the others for theirs. */
  #screenActions() {
    if (!this.connection?.state.you?.capabilities.includes('admit')) return [];
    const ask = () => {
      this.connection?.tell({ t: 'screen-asked' });
      this.announce(this.t('visit.screen.asked'));
    };
    const share = this.#share.track ? [] : [{ word: 'visit.screen.share', act: () => void this.#share.begin() }];
    return [...(canShareScreen() ? share : []), ...(this.#views.size ? [{ word: 'visit.screen.ask', act: ask }] : [])];
  }

  /** Somebody asks for this screen. @param {string} participant */
  screenAsked(participant) {
    const from = this.connection?.state.peers[participant];
    if (!from || from.role === 'patient' || this.#share.track) return;
    if (!canShareScreen()) return;
    const clear = () => this.#showShared();
    const share = () => {
      clear();
      void this.#share.begin();
    };
    const words = this.t('visit.screen.asks', { name: from.name || this.expected });
    this.#shared.replaceChildren(
      h(
        'div',
        { class: 'notice' },
        icon('screen'),
        h('span', { text: words }),
        h('button', { text: this.t('visit.screen.share'), on: { click: share } }),
        h('button', { class: 'quiet', text: this.t('visit.screen.not-now'), on: { click: clear } }),
      ),
    );
  }

  /** That one's own screen is seen by others is said as long as it is so. */
  #showShared() {
    const stop = h('button', { text: this.t('visit.screen.stop'), on: { click: () => this.#share.end() } });
    const notice = h('div', { class: 'notice fair' }, icon('screen'), h('span', { text: this.t('visit.screen.shared') }), stop);
    this.#shared.replaceChildren(...(this.#share.track ? [notice] : []));
  }

  /** Nobody else is there. @param {boolean} alone @param {boolean} admitted */
  #showAlone(alone, admitted) {
    this.#alone.hidden = !alone;
    if (!alone) this.#met = true;
    const word = !admitted ? 'connecting' : this.#met ? 'gone' : 'alone';
    const words = this.t(`visit.stage.${word}`, { name: this.expected });
    if (this.#aloneWords.textContent !== words) this.#aloneWords.textContent = words;
    const practice = alone && admitted ? this.#practiceWays(({ role }) => role === 'patient') : null;
    if (practice && !this.#ways) this.#alone.append((this.#ways = waysBack(this, practice)));
    if (practice) return;
    this.#ways?.remove();
    this.#ways = null;
  }

  /** What whoever may let people in can do about somebody who is away. @param {(person: Person) => boolean} meant */
  #practiceWays(meant) {
    const { connection } = this;
    const person = connection?.state.entry?.people.find(meant);
    return person ? { invite: () => connection?.inviteBack(person.participant), phone: person.phone ?? '' } : null;
  }

  #showOwn() {
    const { interruption } = this;
    const key = JSON.stringify([interruption?.told, interruption?.stuck, interruption?.verdict.back]);
    if (this.#own.dataset.key === key) return;
    this.#own.dataset.key = key;
    const card = interruption && ownCard(this, interruption);
    this.#own.replaceChildren(...(card ? [card] : []));
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
    this.#selfButton.hidden = !switches.camera || !preferences().self;
    for (const view of this.#views.values()) view.setSpeaker(preferences().speaker);
    this.#place();
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
    this.#selfButton.className = `self ${CORNERS[this.#corner]}${preferences().mirror ? ' mirror' : ''}`;
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
