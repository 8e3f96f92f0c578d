/**
 * `<vsdk-video-visit server lang>`: a video visit, from the link to the end.
 *
 * A patient (or who comes along) has `handle`, the secret of the join link. A practitioner has `grant`, and
 * may have `admit`, the participant to let in as soon as camera and signalling are there; `signalling` is the
 * WebSocket address, when it is not `<server>/signal`; `time-zone` the practice's, for pages with a grant.
 *
 * Emits `vsdk-state` {phase} at each step and `vsdk-visit-ended` {visit} at the end; and `vsdk-reload` before it starts
 * anew, because nothing else brings sound and picture back: a page that rather loads itself anew prevents the default.
 * What plugins say to each other between the pages goes directly: `tell(message)` here is `vsdk-control`
 * {participant, message} there.
 *
 * @import { CheckResult } from '../protocol.js'
 * @import { VisitSession } from './visit-session.js'
 */

import { join, Problem, signallingAddress } from '../api.js';
import { Media } from '../media.js';
import { remember } from '../resume.js';
import { VsdkElement } from '../ui/element.js';
import { sheet } from '../ui/styles.js';
import { WakeLock } from '../wake-lock.js';
import { endedStep, problemStep } from './join-steps.js';
import { WayIn } from './way-in.js';

const look = sheet(`
:host([step="visit"]) { position: fixed; inset: 0; z-index: 1; }
:host([step="visit"][grant]) {
  position: sticky; inset: 0 auto auto;
  min-block-size: max(22rem, var(--vsdk-visit-height, calc(100vh - 60px)));
}
vsdk-visit-stage { position: absolute; inset: 0; }
h2 { font-size: var(--vsdk-size-4); }
.question { display: grid; gap: 12px; margin: 0; }
.bubble {
  padding: 12px 16px; border: 1px solid var(--vsdk-line); border-radius: var(--vsdk-radius); background: var(--vsdk-raised);
  box-shadow: 0 2px 8px rgb(0 0 0 / 0.12); inline-size: fit-content; max-inline-size: 100%; overflow-wrap: anywhere;
}
.bubble p { margin: 0; }
.choices { display: flex; gap: 12px; justify-content: flex-end; margin-block-start: 12px; }
.choices > * { padding: 4px 16px; border: 1px solid var(--vsdk-line); border-radius: 999px; }
.choices strong { border: 3px solid var(--vsdk-accent); }
.code { display: block; inline-size: min(16rem, 100%); background: #ffffff; }
.planned { display: flex; gap: 8px; align-items: center; }
`);

export class VideoVisit extends VsdkElement {
  static sheets = [look];
  static observedAttributes = ['handle', 'grant'];

  #media = new Media();
  #wakeLock = new WakeLock();
  /** @type {VisitSession | null} */ #session = null;
  /** @type {WayIn | null} */ #wayIn = null;
  #run = 0;
  #started = false;

  constructor() {
    super();
    // A notification was tapped: whoever has hung up, or was put out, goes back in.
    this.addEventListener('vsdk-come-back', () => {
      if (['ended', 'refused'].includes(this.getAttribute('step') ?? '')) void this.#restart();
    });
  }

  async start() {
    this.#started = true;
    if (this.#grant) await this.#startPractitioner();
    else if (this.#handle) await this.#startPatient();
  }

  stop() {
    this.#started = false;
    this.#reset();
  }

  attributeChangedCallback() {
    if (!this.#started) return;
    this.#reset();
    void this.start();
  }

  /** Send to the other pages of the visit, over the direct connection. @param {import('../peer.js').Control} message */
  tell(message) {
    this.#session?.connection.tell(message);
  }

  get #handle() {
    return this.getAttribute('handle') ?? '';
  }

  get #grant() {
    return this.getAttribute('grant') ?? '';
  }

  /** What the join link is for; a page with a grant has none. */
  get #preview() {
    return this.#wayIn?.preview ?? null;
  }

  #reset() {
    this.#run++;
    this.#wayIn?.stop();
    this.#wakeLock.release();
    this.#session?.close();
    this.#session = null;
    this.#media.close();
    this.#media = new Media();
  }

  /** @param {string} phase @param {...import('../ui/element.js').Child} nodes */
  #step(phase, ...nodes) {
    this.setAttribute('step', phase);
    this.show(...nodes);
    this.emit('vsdk-state', { phase });
  }

  // The patient's way

  async #startPatient() {
    const way = new WayIn({
      element: this,
      media: this.#media,
      wakeLock: this.#wakeLock,
      handle: this.#handle,
      step: (phase, ...nodes) => this.#step(phase, ...nodes),
      problem: (error) => this.#problem(error),
      refuse: (code) => this.#showProblem(code),
      restart: () => void this.#restart(),
      join: (checked) => this.#join(checked),
    });
    way.preview = this.#preview;
    this.#wayIn = way;
    await way.begin();
  }

  /** @param {CheckResult | null} checked */
  async #join(checked) {
    const run = this.#run;
    try {
      const joined = await join(this.server, this.#handle);
      if (run !== this.#run) return;
      this.#remember();
      this.#media.addEventListener('change', () => run === this.#run && this.#session && this.#remember());
      const session = await this.#open(joined.signalling, joined.grant);
      if (checked) session?.check(checked);
    } catch (error) {
      if (run === this.#run) this.#problem(error);
    }
  }

  /** A page that is loaded anew comes back to here. */
  #remember() {
    void remember(this.#handle, this.#media.wanted);
  }

  // The practitioner's way

  async #startPractitioner() {
    const run = this.#run;
    const url = this.getAttribute('signalling') ?? signallingAddress(this.server);
    const opening = this.#media.open().catch((error) => {
      if (run === this.#run) this.announce(this.t(`media.failure.${error.reason ?? 'unsupported'}.title`));
    });
    const session = await this.#open(url, this.#grant);
    session?.host(this.getAttribute('admit') ?? '', opening);
  }

  // Both

  /** @param {string} url @param {string} grant */
  async #open(url, grant) {
    const run = this.#run;
    const { VisitSession } = await import('./visit-session.js');
    if (run !== this.#run) return null;
    this.#session = new VisitSession({
      element: this,
      media: this.#media,
      wakeLock: this.#wakeLock,
      preview: this.#preview,
      url,
      grant,
      renew: async () => (await join(this.server, this.#handle)).grant,
      step: (phase, ...nodes) => this.#step(phase, ...nodes),
      ended: (end) => this.#showEnd(end),
      finish: (code) => this.#finish(code),
      anew: () => void this.#anew(),
    });
    return this.#session;
  }

  /** @param {{ visit: string | undefined, left: boolean, until: string | null }} end */
  #showEnd({ visit, left, until }) {
    const first = this.getAttribute('step') !== 'ended';
    void remember(this.#handle, null);
    this.#media.close();
    this.#wakeLock.release();
    const open = left || (until && Date.parse(until) > Date.now());
    const comeBack = this.#handle && open ? () => void this.#restart() : null;
    const close = window.opener ? () => window.close() : null;
    this.#step('ended', endedStep(this, { left, comeBack, close, preview: this.#preview }));
    if (first) this.emit('vsdk-visit-ended', { visit });
  }

  async #restart() {
    this.#reset();
    await this.start();
  }

  /** What was switched off stays so. */
  async #anew() {
    const { wanted } = this.#media;
    if (!this.emit('vsdk-reload')) return;
    this.#reset();
    this.#media.want(wanted);
    await this.start();
  }

  /** @param {unknown} error */
  #problem(error) {
    if (error instanceof Problem) this.#finish(error.code);
    else this.#showProblem('offline', { text: this.t('visit.again'), act: () => void this.#restart() });
  }

  /** It ends here, for now. @param {string} code */
  #finish(code) {
    const back = { text: this.t('visit.use-here'), act: () => void this.#useHere() };
    this.#media.close();
    this.#wakeLock.release();
    if (code !== 'taken-over') void remember(this.#handle, null);
    this.#showProblem(code, code === 'taken-over' ? back : null);
  }

  async #useHere() {
    await remember(this.#handle, this.#media.wanted);
    await this.#restart();
  }

  /** @param {string} code @param {{ text: string, act: () => void } | null} [way] */
  #showProblem(code, way) {
    this.#step('refused', problemStep(this, code, this.#preview, way));
  }
}

customElements.define('vsdk-video-visit', VideoVisit);
