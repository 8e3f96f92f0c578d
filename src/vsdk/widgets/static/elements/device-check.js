/**
 * `<vsdk-device-check server lang>`: self view, level meter, and three icons that fill in by themselves.
 *
 * Alone on a page it asks for camera and microphone after a click. Inside a visit it is given `media`.
 * Emits `vsdk-checked` with {camera, microphone, connection}, each good, fair or bad, whenever all three are known.
 *
 * @import { CheckResult, Grade } from '../protocol.js'
 */

import { SUBJECTS, runCheck } from '../check.js';
import { Media, MediaFailure } from '../media.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { sheet } from '../ui/styles.js';
import { mediaHelp } from './join-steps.js';

const GRADE_ICONS = /** @type {const} */ ({ good: 'check', fair: 'warning', bad: 'cross' });
const SUBJECT_ICONS = /** @type {const} */ ({ microphone: 'microphone', camera: 'camera', connection: 'wifi' });

const look = sheet(`
:host { background: transparent; }
.view { display: grid; gap: 16px; }
video {
  width: 100%; max-height: 30vh; aspect-ratio: 4 / 3; object-fit: cover; background: #10171c;
  border-radius: var(--vsdk-radius); transform: scaleX(-1);
}
meter { width: 100%; height: 20px; }
.level { display: flex; gap: 12px; align-items: center; }
.results { display: grid; gap: 0; }
.results li {
  display: grid; grid-template-columns: 24px 1fr auto; gap: 4px 12px; align-items: center;
  min-height: 44px; padding: 8px 0; border-top: 1px solid var(--vsdk-line); max-width: none;
}
.results li:first-child { border-top: 0; }
.results .advice { grid-column: 2 / -1; }
`);

export class DeviceCheck extends VsdkElement {
  static sheets = [look];

  /** @type {Media | null} given by the visit; without it the element has one of its own */
  media = null;
  #own = new Media();
  #running = new AbortController();
  /** @type {Partial<CheckResult>} */ #grades = {};
  /** @type {Record<string, HTMLElement>} */ #rows = {};
  #video = h('video', { part: 'self', autoplay: true, playsinline: true, muted: true });
  #meter = h('meter', { min: 0, max: 1 });

  async start() {
    if (this.media) return this.#run(this.media);
    this.show(
      h(
        'div',
        { class: 'stack' },
        h('p', { text: this.t('visit.check.intro') }),
        h('button', { class: 'primary', text: this.t('visit.check.begin'), on: { click: () => void this.#ask() } }),
      ),
    );
  }

  stop() {
    this.#running.abort();
    this.#own.close();
    this.media?.closeMeter();
  }

  async #ask() {
    try {
      await this.#own.open();
      this.#run(this.#own);
    } catch (error) {
      const reason = error instanceof MediaFailure ? error.reason : 'unsupported';
      const again = () => void this.#ask();
      this.show(
        ...mediaHelp(this, reason),
        h('button', { class: 'primary', text: this.t('visit.again'), on: { click: again } }),
      );
    }
  }

  /** @param {Media} media */
  #run(media) {
    this.#running.abort();
    this.#running = new AbortController();
    this.#grades = {};
    this.#video.muted = true;
    this.#video.srcObject = media.stream;
    this.#video.setAttribute('aria-label', this.t('visit.self'));
    this.#meter.setAttribute('aria-label', this.t('visit.check.level'));
    for (const name of SUBJECTS) this.#rows[name] = this.#row(name);
    this.show(
      h(
        'div',
        { class: 'view' },
        media.tracks.video && this.#video,
        media.tracks.audio && h('p', { class: 'level' }, icon('microphone'), this.#meter),
        media.tracks.audio && h('p', { class: 'small muted', text: this.t('visit.check.speak') }),
        h('ul', { class: 'results' }, ...Object.values(this.#rows)),
        h(
          'button',
          { class: 'again', on: { click: () => this.#run(media) } },
          icon('refresh'),
          this.t('visit.check.again'),
        ),
      ),
    );
    this.#draw(media, this.#running.signal);
    void runCheck({
      media,
      video: this.#video,
      server: this.server,
      signal: this.#running.signal,
      onGrade: (name, grade) => this.#graded(name, grade),
    });
  }

  /** @param {Media} media @param {AbortSignal} signal */
  #draw(media, signal) {
    if (signal.aborted) return;
    this.#meter.value = media.level();
    requestAnimationFrame(() => this.#draw(media, signal));
  }

  /** @param {keyof CheckResult} name @param {Grade} grade */
  #graded(name, grade) {
    this.#grades[name] = grade;
    const row = this.#row(name, grade);
    this.#rows[name]?.replaceWith(row);
    this.#rows[name] = row;
    if (!SUBJECTS.every((subject) => this.#grades[subject])) return;
    this.announce(
      SUBJECTS.map((subject) => `${this.t(`visit.check.${subject}`)}: ${this.#word(subject)}`).join(', '),
    );
    this.emit('vsdk-checked', { ...this.#grades });
  }

  /** @param {keyof CheckResult} name */
  #word(name) {
    return this.t(`visit.grade.${this.#grades[name] ?? 'checking'}`);
  }

  /** @param {keyof CheckResult} name @param {Grade} [grade] */
  #row(name, grade) {
    return h(
      'li',
      {},
      icon(SUBJECT_ICONS[name]),
      h('span', { text: this.t(`visit.check.${name}`) }),
      h('span', { class: `status ${grade ?? 'muted'}` }, grade ? icon(GRADE_ICONS[grade]) : null, this.#word(name)),
      grade && grade !== 'good' && h('p', { class: 'advice small', text: this.t(`visit.advice.${name}.${grade}`) }),
    );
  }
}

customElements.define('vsdk-device-check', DeviceCheck);
