/**
 * The patient's way in: from the join link to the door of the waiting room. It asks for one thing after the other,
 * and whatever goes wrong leads to the next thing that helps.
 *
 * @import { Preview } from '../api.js'
 * @import { Media } from '../media.js'
 * @import { CheckResult } from '../protocol.js'
 * @import { Child, VsdkElement } from '../ui/element.js'
 *
 * @typedef {object} House  what the page around it does
 * @property {VsdkElement} element
 * @property {Media} media
 * @property {WakeLock} wakeLock
 * @property {string} handle
 * @property {(phase: string, ...nodes: Child[]) => void} step  show this step
 * @property {(error: unknown) => void} problem
 * @property {(code: string) => void} refuse  show an error code and its help
 * @property {() => void} restart
 * @property {(checked: CheckResult | null) => Promise<void>} join  to the waiting room
 */

import { preview } from '../api.js';
import { browser } from '../browser.js';
import { MediaFailure, unsupported } from '../media-failure.js';
import { joinedBefore, rememberCheck, wasChecked } from '../resume.js';
import { WakeLock } from '../wake-lock.js';
import { h } from '../ui/element.js';
import { earlyStep, primary, startStep, step } from './join-steps.js';

const EARLY_TICK = 5000;

export class WayIn {
  /** @type {Preview | null} */
  preview = null;
  #house;
  #stopped = false;
  #anyway = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #early;

  /** @param {House} house */
  constructor(house) {
    this.#house = house;
  }

  /** Whoever is under way stops where it is. */
  stop() {
    this.#stopped = true;
    clearInterval(this.#early);
  }

  async begin() {
    const { element, handle } = this.#house;
    try {
      this.preview = await preview(element.server, handle);
    } catch (error) {
      if (!this.#stopped) this.#house.problem(error);
      return;
    }
    if (this.#stopped) return;
    const { problem } = this.preview;
    if (problem && problem !== 'join-link-early') return this.#house.refuse(problem);
    const cannot = unsupported();
    const before = await joinedBefore(handle);
    if (this.#stopped) return;
    if (before && !cannot && !problem) {
      this.#house.media.want(before);
      if (await this.#open()) await this.#house.join(null);
      return;
    }
    if (cannot || (browser().app && !this.#anyway)) return this.#otherBrowser(cannot ?? 'app');
    if (problem) return this.#waitForOpening(this.preview);
    const here = browser();
    const other = here.system === 'computer' ? (await import('./browser-help.js')).onPhone(element, handle) : null;
    this.#step('start', startStep(element, this.preview, () => void this.#allow(), other));
  }

  /** A window that cannot do it, or hardly. @param {'app' | 'insecure' | 'unsupported'} reason */
  async #otherBrowser(reason) {
    const { element, handle } = this.#house;
    const { browserStep } = await import('./browser-help.js');
    const anyway = () => {
      this.#anyway = true;
      void this.begin();
    };
    const link = `${element.server}/j#${handle}`;
    const options = { reason, link, preview: this.preview, anyway: reason === 'app' ? anyway : null };
    this.#step('browser', browserStep(element, browser(), options));
  }

  /** @param {string} phase @param {...Child} nodes */
  #step(phase, ...nodes) {
    clearInterval(this.#early);
    this.#house.step(phase, ...nodes);
  }

  /** @param {Preview} early */
  #waitForOpening(early) {
    const { element } = this.#house;
    const { node, tick } = earlyStep(element, early, () => void this.#testDevice());
    // A clock that is ahead asks again and again: the page stays as it is.
    if (element.getAttribute('step') !== 'early') this.#step('early', node);
    this.#early = setInterval(() => {
      if (Date.now() < Date.parse(early.opens)) return tick();
      clearInterval(this.#early);
      void this.begin();
    }, EARLY_TICK);
  }

  async #testDevice() {
    const { element, restart } = this.#house;
    const check = await this.#deviceCheck(null);
    if (this.#stopped) return;
    this.#step(
      'test',
      step(
        h('h2', { text: element.t('visit.early.test') }),
        check,
        h('button', { text: element.t('visit.back'), on: { click: restart } }),
      ),
    );
  }

  async #allow() {
    void import('./device-check.js');
    void import('./visit-session.js');
    const here = browser();
    const help = await import('./browser-help.js');
    const [camera, microphone] = await Promise.all([granted('camera', here), granted('microphone', here)]);
    if (this.#stopped) return;
    if (camera && microphone) return this.#ask();
    const { element } = this.#house;
    if (here.system !== 'computer') {
      return this.#step('allow', help.allowStep(element, here, 'both', () => void this.#ask()));
    }
    const next = () => this.#step('allow', help.allowStep(element, here, 'microphone', () => void this.#askMicrophone()));
    const first = async () => {
      if (await this.#open({ camera: true, microphone: false }, ['no-device', 'busy'])) next();
    };
    if (camera) await first();
    else this.#step('allow', help.allowStep(element, here, 'camera', () => void first()));
  }

  /** The camera is there, or there is none; now the other. */
  async #askMicrophone() {
    const { media } = this.#house;
    if (!media.stream) return this.#ask({ camera: false, microphone: true });
    const reason = await media.reopen('audio');
    if (this.#stopped) return;
    if (reason && reason !== 'no-device' && reason !== 'busy') return this.#mediaFailed(new MediaFailure(reason));
    await this.#check();
  }

  /** @param {{ camera: boolean, microphone: boolean }} [wanted] */
  async #ask(wanted) {
    if (await this.#open(wanted)) await this.#check();
  }

  /**
   * Whether one can go on with what is there now.
   * @param {{ camera: boolean, microphone: boolean }} [wanted]
   * @param {string[]} [passable]  reasons that are no obstacle
   */
  async #open(wanted, passable = []) {
    try {
      await this.#house.media.open(wanted);
    } catch (error) {
      if (error instanceof MediaFailure && passable.includes(error.reason)) return !this.#stopped;
      if (!this.#stopped) this.#mediaFailed(error);
      return false;
    }
    return !this.#stopped;
  }

  /** @param {unknown} error */
  async #mediaFailed(error) {
    const { element, handle, join } = this.#house;
    const reason = error instanceof MediaFailure ? error.reason : 'unsupported';
    const { mediaFailedStep } = await import('./browser-help.js');
    if (this.#stopped) return;
    const again = () => void this.#ask();
    this.#step(
      'no-media',
      mediaFailedStep(element, browser(), reason, {
        handle,
        preview: this.preview,
        again,
        soundOnly: () => void this.#ask({ camera: false, microphone: true }),
        none: () => {
          const problems = [reason === 'embedding-forbids' ? reason : 'camera-none', 'microphone-none'];
          // Nobody has measured the connection.
          problems.push('probe-unreachable');
          void join({ camera: 'bad', microphone: 'bad', connection: 'fair', problems });
        },
      }),
    );
    if (reason === 'refused') await this.#whenAllowed(again);
  }

  /** Whoever undoes the refusal need not come back to a button. @param {() => void} go */
  async #whenAllowed(go) {
    const name = /** @type {PermissionName} */ ('camera');
    const permission = await navigator.permissions?.query({ name }).catch(() => null);
    permission?.addEventListener('change', () => {
      const here = this.#house.element.getAttribute('step') === 'no-media';
      if (permission.state === 'granted' && here && !this.#stopped) go();
    });
  }

  async #check() {
    const { element, media, wakeLock } = this.#house;
    const [{ worst }, check] = await Promise.all([import('../check.js'), this.#deviceCheck(media)]);
    if (this.#stopped) return;
    /** @type {CheckResult | null} */
    let checked = null;
    const button = primary(element.t('visit.check.running'), () => void this.#house.join(checked));
    button.disabled = true;
    check.addEventListener('vsdk-checked', (event) => {
      checked = /** @type {CustomEvent<CheckResult>} */ (event).detail;
      button.disabled = false;
      if (worst(checked) !== 'bad') rememberCheck();
      button.textContent = element.t(worst(checked) === 'bad' ? 'visit.join-anyway' : 'visit.join');
    });
    this.#step('check', step(h('h2', { text: element.t('visit.check.title') }), check, button));
    wakeLock.hold();
  }

  /** @param {Media | null} media */
  async #deviceCheck(media) {
    const { element } = this.#house;
    const { DeviceCheck } = await import('./device-check.js');
    const check = new DeviceCheck();
    check.media = media;
    check.short = media !== null && wasChecked();
    check.setAttribute('handle', this.#house.handle);
    check.setAttribute('server', element.server);
    check.setAttribute('lang', element.lang);
    return check;
  }
}

/**
 * Whether it need not be asked for. Safari's answer is not to be trusted: there it is always explained.
 * @param {'camera' | 'microphone'} device
 * @param {import('../browser.js').Browser} browser
 */
async function granted(device, { family }) {
  if (family === 'safari') return false;
  const name = /** @type {PermissionName} */ (device);
  const permission = await navigator.permissions?.query({ name }).catch(() => null);
  return permission?.state === 'granted';
}
