/**
 * `<vsdk-device-check server lang>`: self view, level meter, and icons that fill in by themselves.
 *
 * Alone on a page it asks for camera and microphone after a click. Inside a visit it is given `media`. With `handle`
 * (of a join link) or `grant` the connection itself is measured; without, only the way to the server.
 * Emits `vsdk-checked` with {camera, microphone, connection, speaker, problems} whenever the first three are known.
 *
 * @import { Finding, Subject } from '../check.js'
 * @import { Grade } from '../protocol.js'
 * @import { Row } from '../quality.js'
 */

import { SUBJECTS, runCheck } from '../check.js';
import { Media } from '../media.js';
import { MediaFailure } from '../media-failure.js';
import { Report } from '../report.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { sheet } from '../ui/styles.js';
import { mediaHelp } from './join-steps.js';
import { reportButtons } from './report-buttons.js';

const GRADE_ICONS = /** @type {const} */ ({ good: 'check', fair: 'warning', bad: 'cross' });
const SUBJECT_ICONS = /** @type {const} */ ({ microphone: 'microphone', camera: 'camera', connection: 'wifi' });
/** How many problems the practice is told at most. */
const PROBLEMS = 16;

const look = sheet(`
:host { background: transparent; }
.view { display: grid; gap: 16px; }
video {
  width: 100%; max-height: 22vh; aspect-ratio: 4 / 3; object-fit: cover; background: #10171c;
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
.ways { display: flex; flex-wrap: wrap; gap: 8px; }
dl { display: grid; grid-template-columns: 1fr auto auto; gap: 4px 12px; align-items: center; margin: 8px 0 0; }
dd { margin: 0; text-align: end; }
`);

export class DeviceCheck extends VsdkElement {
  static sheets = [look];

  /** @type {Media | null} given by the visit; without it the element has one of its own */
  media = null;
  /** The second time: devices only, and whether the server is there. */
  short = false;
  #own = new Media();
  #report = new Report();
  #running = new AbortController();
  /** @type {Partial<Record<Subject, Finding>>} */ #findings = {};
  /** @type {Grade | null} */ #speaker = null;
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

  /** Whose connection is measured. */
  get #who() {
    const handle = this.getAttribute('handle');
    const grant = this.getAttribute('grant');
    return handle ? { handle } : grant ? { grant } : null;
  }

  async #ask() {
    try {
      await this.#own.open();
      this.#run(this.#own);
    } catch (error) {
      const reason = error instanceof MediaFailure ? error.reason : 'unsupported';
      this.#report.note(`camera and microphone: ${reason}`);
      const again = () => void this.#ask();
      this.show(
        ...mediaHelp(this, reason),
        h('button', { class: 'primary', text: this.t('visit.again'), on: { click: again } }),
        reportButtons(this, this.#report),
      );
    }
  }

  /** @param {Media} media */
  #run(media) {
    this.#running.abort();
    this.#running = new AbortController();
    this.#findings = {};
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
        this.#loudspeaker(),
        h(
          'button',
          { class: 'again', on: { click: () => this.#run(media) } },
          icon('refresh'),
          this.t('visit.check.again'),
        ),
        media === this.#own && reportButtons(this, this.#report),
      ),
    );
    this.#draw(media, this.#running.signal);
    void runCheck({
      media,
      video: this.#video,
      server: this.server,
      who: this.#who,
      short: this.short,
      signal: this.#running.signal,
      onFinding: (name, finding) => this.#found(name, finding),
    });
  }

  /** @param {Media} media @param {AbortSignal} signal */
  #draw(media, signal) {
    if (signal.aborted) return;
    this.#meter.value = media.level();
    requestAnimationFrame(() => this.#draw(media, signal));
  }

  /** A few notes, and the question whether they were heard. */
  #loudspeaker() {
    const line = h('div', { class: 'stack speaker' });
    /** @param {Grade} grade */
    const answered = (grade) => {
      this.#speaker = grade;
      line.replaceChildren(
        h(
          'p',
          { class: `status ${grade}`, role: 'status', tabindex: -1 },
          icon(GRADE_ICONS[grade]),
          this.t(`check.speaker-${grade}`),
        ),
        grade === 'bad' ? h('p', { class: 'small', text: this.t('check.advice.speaker-not-heard') }) : '',
        play,
      );
      /** @type {HTMLElement | null} */ (line.querySelector('[role=status]'))?.focus();
      this.#tell();
    };
    const play = h('button', { on: { click: () => void ask() } }, icon('speaker'), this.t('check.speaker-play'));
    const ask = async () => {
      const { chime } = await import('../test-media.js');
      await chime();
      const yes = h('button', { text: this.t('check.yes'), on: { click: () => answered('good') } });
      line.replaceChildren(
        h('p', { text: this.t('check.speaker-heard') }),
        h(
          'div',
          { class: 'ways' },
          yes,
          h('button', { text: this.t('check.no'), on: { click: () => answered('bad') } }),
          play,
        ),
      );
      yes.focus();
    };
    line.append(play);
    return line;
  }

  /** @param {Subject} name @param {Finding} finding */
  #found(name, finding) {
    this.#findings[name] = finding;
    const row = this.#row(name, finding);
    this.#rows[name]?.replaceWith(row);
    this.#rows[name] = row;
    const figures = finding.rows && Object.fromEntries(finding.rows.map(({ name: figure, value }) => [figure, value]));
    this.#report.check(name, { grade: finding.grade, codes: finding.codes, ...(figures && { figures }) });
    if (SUBJECTS.every((subject) => this.#findings[subject])) {
      const words = SUBJECTS.map((subject) => `${this.t(`visit.check.${subject}`)}: ${this.#word(subject)}`);
      this.announce(words.join(', '));
    }
    this.#tell();
  }

  #tell() {
    const { microphone, camera, connection } = this.#findings;
    if (!microphone || !camera || !connection) return;
    const problems = [...microphone.codes, ...camera.codes, ...connection.codes];
    if (this.#speaker === 'bad') problems.push('speaker-not-heard');
    this.emit('vsdk-checked', {
      microphone: microphone.grade,
      camera: camera.grade,
      connection: connection.grade,
      speaker: this.#speaker,
      problems: problems.slice(0, PROBLEMS),
    });
  }

  /** @param {Subject} name */
  #word(name) {
    return this.t(`visit.grade.${this.#findings[name]?.grade ?? 'checking'}`);
  }

  /** @param {Subject} name @param {Finding} [finding] */
  #row(name, finding) {
    const grade = finding?.grade;
    return h(
      'li',
      {},
      icon(SUBJECT_ICONS[name]),
      h('span', { text: this.t(`visit.check.${name}`) }),
      h('span', { class: `status ${grade ?? 'muted'}` }, grade ? icon(GRADE_ICONS[grade]) : null, this.#word(name)),
      ...(finding?.codes ?? []).map((code) =>
        h('p', { class: 'advice small', text: this.t(`check.advice.${code}`) }),
      ),
      finding?.rows?.length ? this.#details(finding.rows, finding.path ?? 'http') : null,
    );
  }

  /** The measured figures, for those who want to know. @param {Row[]} rows @param {string} path */
  #details(rows, path) {
    const format = new Intl.NumberFormat(this.lang, { maximumFractionDigits: 1 });
    return h(
      'details',
      { class: 'advice small' },
      h('summary', { text: this.t('check.numbers') }),
      h('p', { text: this.t(`check.path-${path}`) }),
      h(
        'dl',
        {},
        ...rows.flatMap(({ name, value, grade }) => [
          h('dt', { text: this.t(`check.figure-${name}`) }),
          h('dd', { text: `${format.format(value)} ${this.t(`check.unit-${name}`)}`.trim() }),
          h('dd', { class: `status ${grade}` }, icon(GRADE_ICONS[grade]), this.t(`visit.grade.${grade}`)),
        ]),
      ),
    );
  }
}

customElements.define('vsdk-device-check', DeviceCheck);
