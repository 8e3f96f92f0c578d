/**
 * "It begins later": one tap tells everyone who comes.
 *
 * @import { Entry } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 * @import { MessagesApi } from '../messages-api.js'
 * @import { Opened } from './practice-dialogs.js'
 */

import { delays } from '../message-words.js';
import { later } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { codeOf, notice } from './practice-door.js';
import { hoursAndMinutes, names } from './practice-rows.js';
import { problemText } from './practice-sign-in.js';

/** @param {VsdkElement} host @param {Entry} entry @param {MessagesApi} api @returns {Opened} */
export function delayDialog(host, entry, api) {
  const t = host.t.bind(host);
  const zone = host.getAttribute('time-zone') ?? undefined;
  const name = names(entry, t);
  const problem = h('div', { role: 'alert' });
  const expected = (/** @type {number} */ minutes) => hoursAndMinutes(later(entry.start, minutes), host.lang, zone);

  /** @param {number} minutes */
  async function announce(minutes) {
    const buttons = element.querySelectorAll('button');
    const pressed = /** @type {HTMLElement | null | undefined} */ (host.shadowRoot?.activeElement);
    for (const button of buttons) button.disabled = true;
    problem.replaceChildren();
    try {
      if (minutes !== entry.delay_minutes) await api.delay(entry.visit, minutes);
      element.close();
      host.announce(minutes ? t('practice.delay-told', { name, minutes }) : t('practice.delay-gone', { name }));
    } catch (error) {
      problem.replaceChildren(notice('bad', problemText(codeOf(error), t)));
      for (const button of buttons) button.disabled = false;
      pressed?.focus();
    }
  }

  /** @param {number} minutes */
  function choice(minutes) {
    const time = expected(minutes);
    return h(
      'button',
      {
        type: 'button',
        'aria-pressed': String(minutes === entry.delay_minutes),
        on: { click: () => void announce(minutes) },
      },
      h('strong', { text: t('practice.delay-minutes', { minutes }) }),
      h('span', { class: 'small', text: t('practice.delay-begins', { time }) }),
    );
  }

  const element = h(
    'dialog',
    { 'aria-labelledby': 'delay-title', class: 'delay' },
    h(
      'div',
      { class: 'stack' },
      h(
        'div',
        { class: 'dialog-head' },
        h('h2', { id: 'delay-title', text: t('practice.delay-title', { name }) }),
        h(
          'button',
          { type: 'button', class: 'quiet', 'aria-label': t('practice.close'), on: { click: () => element.close() } },
          icon('cross'),
        ),
      ),
      h('p', { text: t('practice.delay-text', { name, time: hoursAndMinutes(entry.start, host.lang, zone) }) }),
      h('div', { class: 'choices' }, ...delays(entry.start, Date.now()).map(choice)),
      entry.delay_minutes
        ? h('button', { type: 'button', text: t('practice.delay-none'), on: { click: () => void announce(0) } })
        : null,
      problem,
    ),
  );
  return { element };
}
