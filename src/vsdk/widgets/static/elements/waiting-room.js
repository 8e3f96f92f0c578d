/**
 * `<vsdk-waiting-room>`: you are expected, somebody has been told, stay here. Nothing about others who wait.
 *
 * Set `details` and `media` before it is added. Emits `vsdk-leave`.
 *
 * @import { Media } from '../media.js'
 * @import { VisitConnection } from '../visit.js'
 * @import { WakeLock } from '../wake-lock.js'
 *
 * @typedef {{ practitioner: string, start: string, delay: number, zone?: string }} Details  `delay` in minutes
 */

import { pushOffer } from '../push.js';
import { clock, later } from '../times.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { sheet } from '../ui/styles.js';
import { ChatFold } from './chat-fold.js';

const OVERDUE_TICK = 15_000;
const OVERDUE_AFTER = 60_000;
/** So long past the planned time everyone is asked to wait. */
const PATIENCE = 10 * 60_000;

const look = sheet(`
:host { background: transparent; }
h2 { font-size: var(--vsdk-size-4); }
.room { display: grid; gap: 20px; }
video {
  width: 100%; max-height: 36vh; aspect-ratio: 4 / 3; object-fit: cover; background: #10171c;
  border-radius: var(--vsdk-radius); transform: scaleX(-1);
}
.planned { display: flex; gap: 8px; align-items: center; }
p:empty, div:empty { display: none; }
.leave { justify-self: start; }
`);

export class WaitingRoom extends VsdkElement {
  static sheets = [look];

  /** @type {Details} */
  details = { practitioner: '', start: '', delay: 0 };
  /** @type {Media | null} */
  media = null;
  #line = h('p', { class: 'notice fair', role: 'status', hidden: true });
  /** @type {WakeLock | null} */
  wakeLock = null;
  /** For messages on this device. */
  grant = '';
  pushKey = '';
  /** @type {VisitConnection | null} */
  connection = null;
  /** @type {ChatFold | null} */ #chat = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #tick;
  #patience = h('p', { role: 'status' });
  #awake = h('p', { class: 'small muted' });
  #offer = h('div');
  #onWakeLock = () => {
    this.#awake.textContent = this.wakeLock?.means === 'none' ? this.t('visit.waiting.touch') : '';
  };
  #late = h('p', { class: 'notice late', role: 'status', hidden: true });

  async start() {
    const { practitioner, start, zone, delay } = this.details;
    const video = h('video', {
      part: 'self',
      autoplay: true,
      playsinline: true,
      'aria-label': this.t('visit.self'),
    });
    video.muted = true;
    video.srcObject = this.media?.stream ?? null;
    if (this.connection) this.#chat = new ChatFold(this, this.connection, 'chat.to-practice', zone);
    const title = h('h2', { text: this.t('visit.waiting.title'), tabindex: -1 });
    this.show(
      h(
        'div',
        { class: 'room' },
        title,
        this.#line,
        this.#late,
        h('p', { class: 'lead', text: this.t('visit.waiting.told', { name: practitioner }) }),
        h('p', { text: this.t('visit.waiting.stay') }),
        this.#patience,
        this.#awake,
        start &&
          h('p', { class: 'planned' }, icon('clock'), this.t('visit.waiting.planned', { time: clock(start, this.lang, zone) })),
        this.#chat?.node,
        this.media?.tracks.video && video,
        this.#offer,
        h('button', { class: 'leave', on: { click: () => this.emit('vsdk-leave') } }, icon('door'), this.t('visit.waiting.leave')),
      ),
    );
    this.delay = delay;
    title.focus();
    this.wakeLock?.addEventListener('change', this.#onWakeLock);
    this.#onWakeLock();
    this.#tick = setInterval(() => this.#overdue(), OVERDUE_TICK);
    this.#overdue();
    const offer = pushOffer(this, this.grant, this.pushKey);
    if (offer) this.#offer.replaceChildren(offer);
    this.announce(this.t('visit.waiting.told', { name: practitioner }));
  }

  stop() {
    clearInterval(this.#tick);
    this.wakeLock?.removeEventListener('change', this.#onWakeLock);
  }

  /** The planned time has passed and nothing was announced: it is known that they wait. */
  #overdue() {
    const { start, zone } = this.details;
    const late = start !== '' && Date.now() > Date.parse(start) + OVERDUE_AFTER && this.#late.hidden;
    const until = Date.parse(start) + PATIENCE;
    // Once these minutes are over too, it is no comfort to name them.
    const ask = Date.now() < until ? ` ${this.t('visit.waiting.patience', { time: clock(new Date(until).toISOString(), this.lang, zone) })}` : '';
    const words = late ? this.t('visit.waiting.overdue') + ask : '';
    if (this.#patience.textContent !== words) this.#patience.textContent = words;
  }

  /** Something changed. @param {VisitConnection} connection */
  follow({ signallingState, state }) {
    this.away = signallingState === 'down';
    this.delay = state.waiting?.delay_minutes ?? 0;
    this.#chat?.update();
  }

  /** Say that signalling is away; the place is held meanwhile. @param {boolean} away */
  set away(away) {
    this.#line.hidden = !away;
    this.#line.replaceChildren(...(away ? [icon('wifi'), this.t('visit.waiting.away')] : []));
  }

  /** How many minutes later it begins, as the practice announced; 0 for none. @param {number} minutes */
  set delay(minutes) {
    const { start, zone } = this.details;
    const time = start && clock(later(start, minutes), this.lang, zone);
    const words = minutes > 0 && time ? this.t('visit.waiting.delay', { minutes, time }) : '';
    if ((this.#late.textContent ?? '') === words) return;
    this.#late.hidden = !words;
    this.#overdue();
    this.#late.replaceChildren(...(words ? [icon('clock'), words] : []));
  }
}

customElements.define('vsdk-waiting-room', WaitingRoom);
