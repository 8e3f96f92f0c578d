/**
 * `<vsdk-waiting-room>`: you are expected, somebody has been told, stay here. Nothing about others who wait.
 *
 * Set `details` and `media` before it is added. Emits `vsdk-leave`.
 *
 * @import { Media } from '../media.js'
 * @import { VisitConnection } from '../visit.js'
 *
 * @typedef {{ practitioner: string, start: string, delay: number, zone?: string }} Details  `delay` in minutes
 */

import { clock, later } from '../times.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { sheet } from '../ui/styles.js';

const look = sheet(`
:host { background: transparent; }
h2 { font-size: var(--vsdk-size-4); }
.room { display: grid; gap: 20px; }
video {
  width: 100%; max-height: 36vh; aspect-ratio: 4 / 3; object-fit: cover; background: #10171c;
  border-radius: var(--vsdk-radius); transform: scaleX(-1);
}
.planned { display: flex; gap: 8px; align-items: center; }
.leave { justify-self: start; }
`);

export class WaitingRoom extends VsdkElement {
  static sheets = [look];

  /** @type {Details} */
  details = { practitioner: '', start: '', delay: 0 };
  /** @type {Media | null} */
  media = null;
  #line = h('p', { class: 'notice fair', role: 'status', hidden: true });
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
        start &&
          h('p', { class: 'planned' }, icon('clock'), this.t('visit.waiting.planned', { time: clock(start, this.lang, zone) })),
        this.media?.tracks.video && video,
        h('button', { class: 'leave', on: { click: () => this.emit('vsdk-leave') } }, icon('door'), this.t('visit.waiting.leave')),
      ),
    );
    this.delay = delay;
    title.focus();
    this.announce(this.t('visit.waiting.told', { name: practitioner }));
  }

  /** Something changed. @param {VisitConnection} connection */
  follow({ signallingState, state }) {
    this.away = signallingState === 'down';
    this.delay = state.waiting?.delay_minutes ?? 0;
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
    this.#late.replaceChildren(...(words ? [icon('clock'), words] : []));
  }
}

customElements.define('vsdk-waiting-room', WaitingRoom);
