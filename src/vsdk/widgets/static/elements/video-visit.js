/**
 * `<vsdk-video-visit server lang>`: a video visit, from the link to the end.
 *
 * A patient (or who comes along) has `handle`, the secret of the join link. A practitioner has `grant`, and
 * may have `admit`, the participant to let in as soon as camera and signalling are there; `signalling` is the
 * WebSocket address, when it is not `<server>/signal`.
 *
 * Emits `vsdk-state` {phase} at each step and `vsdk-visit-ended` {visit} at the end. What plugins say to each other
 * between the pages goes directly: `tell(message)` here is `vsdk-control` {participant, message} there.
 *
 * @import { Preview } from '../api.js'
 * @import { CheckResult } from '../protocol.js'
 * @import { Change } from '../visit.js'
 */

import { join, preview, Problem, signallingAddress } from '../api.js';
import { worst } from '../check.js';
import { Media, MediaFailure, unsupported } from '../media.js';
import { remember, wasJoined } from '../resume.js';
import { VsdkElement, h } from '../ui/element.js';
import { sheet } from '../ui/styles.js';
import { VisitConnection } from '../visit.js';
import { DeviceCheck } from './device-check.js';
import { allowStep, earlyStep, endedStep, mediaFailedStep, primary, problemStep, startStep, step } from './join-steps.js';
import { lobbyStep } from './lobby.js';
import { VisitStage } from './visit-stage.js';
import { WaitingRoom } from './waiting-room.js';

const EARLY_TICK = 5000;

const look = sheet(`
:host([step="visit"]) { position: fixed; inset: 0; z-index: 1; }
:host([step="visit"][grant]) {
  position: sticky; inset: 0 auto auto;
  min-block-size: max(22rem, var(--vsdk-visit-height, calc(100vh - 60px)));
}
vsdk-visit-stage { position: absolute; inset: 0; }
h2 { font-size: var(--vsdk-size-4); }
.planned { display: flex; gap: 8px; align-items: center; }
`);

export class VideoVisit extends VsdkElement {
  static sheets = [look];
  static observedAttributes = ['handle', 'grant'];

  #media = new Media();
  /** @type {VisitConnection | null} */ #connection = null;
  /** @type {Preview | null} */ #preview = null;
  /** @type {CheckResult | null} */ #checked = null;
  /** @type {WaitingRoom | VisitStage | null} */ #room = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #early;
  #run = 0;
  #started = false;
  #left = false;
  #lobby = '';
  #admit = '';
  #welcomed = () => {};

  async start() {
    this.#started = true;
    if (this.#grant) this.#startPractitioner();
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
    this.#connection?.tell(message);
  }

  get #handle() {
    return this.getAttribute('handle') ?? '';
  }

  get #grant() {
    return this.getAttribute('grant') ?? '';
  }

  /** Whoever may let people in does not wait: also a practitioner who came by a join link. */
  get #admits() {
    return this.#connection?.state.you?.capabilities.includes('admit') ?? false;
  }

  #reset() {
    this.#run++;
    clearInterval(this.#early);
    this.#connection?.close();
    this.#connection = null;
    this.#media.removeEventListener('change', this.#mediaChanged);
    this.#media.close();
    this.#media = new Media();
    this.#checked = null;
    this.#room = null;
    this.#left = false;
    this.#lobby = '';
  }

  /** @param {string} phase @param {...import('../ui/element.js').Child} nodes */
  #step(phase, ...nodes) {
    clearInterval(this.#early);
    this.#room = null;
    this.setAttribute('step', phase);
    this.show(...nodes);
    this.emit('vsdk-state', { phase });
  }

  // The patient's way

  async #startPatient() {
    const run = this.#run;
    try {
      this.#preview = await preview(this.server, this.#handle);
    } catch (error) {
      if (run === this.#run) this.#problem(error);
      return;
    }
    if (run !== this.#run) return;
    const { problem } = this.#preview;
    if (unsupported()) return this.#showProblem('browser-unsupported');
    if (problem === 'join-link-early') return this.#waitForOpening(this.#preview);
    if (problem) return this.#showProblem(problem);
    if (await wasJoined(this.#handle)) {
      try {
        await this.#media.open();
      } catch (error) {
        if (run === this.#run) this.#mediaFailed(error);
        return;
      }
      if (run === this.#run) await this.#join();
      return;
    }
    this.#step('start', startStep(this, this.#preview, () => void this.#allow()));
  }

  /** @param {Preview} early */
  #waitForOpening(early) {
    const { node, tick } = earlyStep(this, early, () => this.#testDevice());
    // A clock that is ahead asks again and again: the page stays as it is.
    if (this.getAttribute('step') !== 'early') this.#step('early', node);
    this.#early = setInterval(() => {
      if (Date.now() < Date.parse(early.opens)) return tick();
      clearInterval(this.#early);
      void this.#startPatient();
    }, EARLY_TICK);
  }

  #testDevice() {
    const check = this.#deviceCheck(null);
    const back = () => void this.#restart();
    this.#step(
      'test',
      step(
        h('h2', { text: this.t('visit.early.test') }),
        check,
        h('button', { text: this.t('visit.back'), on: { click: back } }),
      ),
    );
  }

  async #allow() {
    const permission = await navigator.permissions
      ?.query({ name: /** @type {PermissionName} */ ('camera') })
      .catch(() => null);
    if (permission?.state === 'granted') return this.#ask();
    this.#step('allow', allowStep(this, () => void this.#ask()));
  }

  /** @param {{ camera: boolean, microphone: boolean }} [wanted] */
  async #ask(wanted) {
    const run = this.#run;
    try {
      await this.#media.open(wanted);
    } catch (error) {
      if (run === this.#run) this.#mediaFailed(error);
      return;
    }
    if (run === this.#run) this.#check();
  }

  /** @param {unknown} error */
  #mediaFailed(error) {
    const reason = error instanceof MediaFailure ? error.reason : 'unsupported';
    this.#step(
      'no-media',
      mediaFailedStep(this, reason, {
        again: () => void this.#ask(),
        soundOnly: () => void this.#ask({ camera: false, microphone: true }),
        none: () => {
          this.#checked = { camera: 'bad', microphone: 'bad', connection: 'good' };
          void this.#join();
        },
      }),
    );
  }

  #check() {
    const check = this.#deviceCheck(this.#media);
    const button = primary(this.t('visit.check.running'), () => void this.#join());
    button.disabled = true;
    check.addEventListener('vsdk-checked', (event) => {
      this.#checked = /** @type {CustomEvent<CheckResult>} */ (event).detail;
      button.disabled = false;
      button.textContent = this.t(worst(this.#checked) === 'bad' ? 'visit.join-anyway' : 'visit.join');
    });
    this.#step('check', step(h('h2', { text: this.t('visit.check.title') }), check, button));
    this.#media.stayAwake();
  }

  /** @param {Media | null} media */
  #deviceCheck(media) {
    const check = new DeviceCheck();
    check.media = media;
    return this.#inner(check);
  }

  async #join() {
    const run = this.#run;
    try {
      const joined = await join(this.server, this.#handle);
      if (run !== this.#run) return;
      void remember(this.#handle, true);
      this.#connect(joined.signalling, joined.grant);
      if (this.#checked) this.#connection?.check(this.#checked);
    } catch (error) {
      if (run === this.#run) this.#problem(error);
    }
  }

  // The practitioner's way

  #startPractitioner() {
    const run = this.#run;
    this.#connect(this.getAttribute('signalling') ?? signallingAddress(this.server), this.#grant);
    this.#admit = this.getAttribute('admit') ?? '';
    if (this.#admit) this.#showStage();
    else this.#showLobby();
    const media = this.#media.open().catch((error) => {
      if (run === this.#run) this.announce(this.t(`media.failure.${error.reason ?? 'unsupported'}.title`));
    });
    const welcome = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#welcomed = resolve)));
    void Promise.all([media, welcome]).then(() => {
      const { phase } = this.#connection?.state ?? {};
      if (run === this.#run && this.#admit && phase !== 'admitted') this.#connection?.admit(this.#admit);
    });
  }

  #showLobby() {
    const people = this.#connection?.state.entry?.people ?? [];
    const key = JSON.stringify(people.map(({ participant, present, waiting }) => [participant, present, waiting]));
    if (this.getAttribute('step') === 'waiting' && this.#lobby === key) return;
    this.#lobby = key;
    this.#step('waiting', lobbyStep(this, people, (participant) => this.#connection?.admit(participant)));
  }

  // Both

  /** @param {string} url @param {string} grant */
  #connect(url, grant) {
    this.#connection = new VisitConnection({
      url,
      grant,
      renew: async () => (await join(this.server, this.#handle)).grant,
      onChange: (change) => this.#changed(change),
      onError: () => this.#refusedToAdmit(),
      onControl: (participant, message) => this.emit('vsdk-control', { participant, message }),
    });
    this.#media.addEventListener('change', this.#mediaChanged);
    this.#mediaChanged();
    this.#media.stayAwake();
  }

  /** Whoever was to be let in is not there any more: show who is. */
  #refusedToAdmit() {
    if (!this.#admit || this.#connection?.state.phase !== 'waiting') return;
    this.#admit = '';
    this.#showLobby();
  }

  #mediaChanged = () => this.#connection?.setMedia(this.#media.tracks, this.#media.switches);

  /** @param {Change} change */
  #changed(change) {
    const connection = this.#connection;
    if (!connection) return;
    if (change === 'ready') this.#welcomed();
    else if (change === 'phase') this.#phaseChanged(connection);
    else if (this.#room instanceof VisitStage) this.#room.update();
    else if (this.#room instanceof WaitingRoom) this.#room.follow(connection);
    else if (change === 'queue' && connection.state.phase === 'waiting' && this.#admits && !this.#admit) this.#showLobby();
  }

  /** @param {VisitConnection} connection */
  #phaseChanged(connection) {
    const { phase, refusal } = connection.state;
    if (phase === 'waiting' && this.#admits) {
      if (!this.#admit) this.#showLobby();
    } else if (phase === 'waiting') this.#showWaitingRoom(connection);
    else if (phase === 'admitted') this.#showStage();
    else if (phase === 'ended') this.#showEnd(connection);
    else if (phase === 'cancelled') this.#finish('appointment-cancelled');
    else if (phase === 'refused') this.#finish(refusal ?? 'other');
  }

  /** @param {VisitConnection} connection */
  #showWaitingRoom(connection) {
    const { waiting, visit } = connection.state;
    const room = this.#inner(new WaitingRoom());
    room.media = this.#media;
    room.details = {
      practitioner: waiting?.practitioner || visit?.practitioner || this.#preview?.practice.name || '',
      start: waiting?.start ?? '',
      delay: waiting?.delay_minutes ?? 0,
      zone: this.#preview?.time_zone,
    };
    room.addEventListener('vsdk-leave', () => {
      this.#left = true;
      connection.hangUp();
    });
    this.#step('waiting', step(room));
    this.#room = room;
  }

  #showStage() {
    const connection = this.#connection;
    if (!connection) return;
    if (this.#room instanceof VisitStage) return this.#room.update();
    const stage = this.#inner(new VisitStage());
    stage.connection = connection;
    stage.media = this.#media;
    const person = connection.state.entry?.people.find(({ role }) => role === 'patient');
    stage.expected = this.#preview?.practitioner ?? person?.name ?? '';
    stage.addEventListener('vsdk-hang-up', () => connection.hangUp());
    this.#step('visit', stage);
    this.#room = stage;
  }

  /** @param {VisitConnection} connection */
  #showEnd(connection) {
    const visit = connection.state.visit?.id;
    const until = connection.state.ended?.come_back_until;
    const first = this.getAttribute('step') !== 'ended';
    void remember(this.#handle, false);
    this.#media.close();
    const open = this.#left || (until && Date.parse(until) > Date.now());
    const comeBack = this.#handle && open ? () => void this.#restart() : null;
    const close = window.opener ? () => window.close() : null;
    this.#step('ended', endedStep(this, { left: this.#left, comeBack, close, preview: this.#preview }));
    if (first) this.emit('vsdk-visit-ended', { visit });
  }

  async #restart() {
    this.#reset();
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
    if (code !== 'taken-over') void remember(this.#handle, false);
    this.#showProblem(code, code === 'taken-over' ? back : null);
  }

  async #useHere() {
    await remember(this.#handle, true);
    await this.#restart();
  }

  /** @param {string} code @param {{ text: string, act: () => void } | null} [way] */
  #showProblem(code, way) {
    this.#step('refused', problemStep(this, code, this.#preview, way));
  }

  /** @template {VsdkElement} E @param {E} element @returns {E} */
  #inner(element) {
    element.setAttribute('server', this.server);
    element.setAttribute('lang', this.lang);
    return element;
  }
}

customElements.define('vsdk-video-visit', VideoVisit);
