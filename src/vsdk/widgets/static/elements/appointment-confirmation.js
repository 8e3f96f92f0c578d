/**
 * `<vsdk-appointment-confirmation server handle lang>`: a video visit that has just been booked; with whom, when, how it
 * goes, and the way in.
 *
 * @import { Preview } from '../api.js'
 */

import { Problem, joinCalendar, preview } from '../api.js';
import { clock, day } from '../times.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { appointment, phone, problemStep, step } from './join-steps.js';

/** It looks again when it opens; between these, in milliseconds, for the clock here may be wrong. */
const LOOK_AGAIN = { soonest: 3000, latest: 3_600_000 };
const SAVED_WITHIN = 60_000;

export class AppointmentConfirmation extends VsdkElement {
  static observedAttributes = ['handle'];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #opening;
  #shown = '';
  #started = false;

  async start() {
    this.#started = true;
    await this.#look();
  }

  async #look() {
    const handle = this.getAttribute('handle');
    if (!handle) return;
    try {
      const booked = await preview(this.server, handle);
      if (this.#started && handle === this.getAttribute('handle')) this.#booked(booked, handle);
    } catch (error) {
      // What stands there is still true, so far as is known.
      if (this.#shown) this.#lookAgain(0);
      else this.show(problemStep(this, error instanceof Problem ? error.code : 'offline', null));
    }
  }

  stop() {
    this.#started = false;
    clearTimeout(this.#opening);
  }

  attributeChangedCallback() {
    this.#shown = '';
    if (this.#started) void this.#look();
  }

  /** @param {number} opens  milliseconds since 1970 */
  #lookAgain(opens) {
    clearTimeout(this.#opening);
    const { soonest, latest } = LOOK_AGAIN;
    const pause = Math.min(Math.max(opens - Date.now(), soonest), latest);
    this.#opening = setTimeout(() => void this.#look(), pause);
  }

  /** @param {Preview} booked @param {string} handle */
  #booked(booked, handle) {
    const { problem } = booked;
    if (problem === 'join-link-early') this.#lookAgain(Date.parse(booked.opens));
    const key = JSON.stringify(booked);
    if (this.#shown === key) return;
    this.#shown = key;
    if (problem && problem !== 'join-link-early') return this.show(problemStep(this, problem, booked));
    const link = `${this.server}/j#${handle}`;
    const way = { href: link, target: '_blank', rel: 'noopener' };
    const opens = this.t('confirmation.opens', {
      day: day(booked.opens, this.lang, booked.time_zone),
      time: clock(booked.opens, this.lang, booked.time_zone),
    });
    this.show(
      step(
        h('h2', { text: this.t('confirmation.title') }),
        appointment(this, booked),
        h(
          'ol',
          { class: 'stack numbered' },
          h('li', { text: this.t('confirmation.step-message') }),
          h('li', { text: this.t('confirmation.step-allow') }),
          h('li', { text: this.t('confirmation.step-wait') }),
        ),
        problem ? h('p', { text: opens }) : h('a', { class: 'button primary', ...way }, this.t('visit.start.button')),
        h('button', { on: { click: () => void this.#save(handle) } }, icon('calendar'), this.t('confirmation.calendar')),
        problem && h('a', { class: 'button', ...way }, icon('settings'), this.t('visit.early.test')),
        phone(this, booked),
      ),
    );
  }

  /** @param {string} handle */
  async #save(handle) {
    const file = await joinCalendar(this.server, handle, this.lang).catch(() => null);
    if (!file) return this.announce(this.t('confirmation.calendar-failed'));
    const link = h('a', { href: URL.createObjectURL(file), download: 'vsdk.ics' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), SAVED_WITHIN);
  }
}

customElements.define('vsdk-appointment-confirmation', AppointmentConfirmation);
