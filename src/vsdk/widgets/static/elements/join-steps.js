/**
 * The plain steps around a visit: what is shown, and what can be done. One question, one large button.
 *
 * Each function returns the nodes of a step, for `show`.
 *
 * @import { Preview } from '../api.js'
 * @import { FailureReason } from '../media-failure.js'
 * @import { VsdkElement } from '../ui/element.js'
 *
 * @typedef {() => void} Act
 */

import { clock, day, inTime } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** @param {...(Node | string | null | false | undefined)} nodes */
export function step(...nodes) {
  return h('section', { class: 'step' }, ...nodes);
}

/** @param {string} text @param {Act} act */
export function primary(text, act) {
  return h('button', { class: 'primary', text, on: { click: act } });
}

/** With whom, when, and at which practice. @param {VsdkElement} host @param {Preview} preview */
export function appointment(host, preview) {
  const { lang } = host;
  const zone = preview.time_zone;
  return h(
    'div',
    { class: 'card stack' },
    h('p', { class: 'planned status' }, icon('person'), preview.practitioner || preview.practice.name),
    h(
      'p',
      { class: 'planned status' },
      icon('calendar'),
      host.t('visit.start.when', { day: day(preview.start, lang, zone), time: clock(preview.start, lang, zone) }),
    ),
  );
}

/** @param {VsdkElement} host @param {Preview | null} preview */
export function phone(host, preview) {
  const number = preview?.practice.phone;
  if (!preview || !number) return null;
  return h(
    'a',
    { class: 'button', href: `tel:${number.replace(/[^+\d]/g, '')}` },
    icon('phone'),
    host.t('visit.phone', { name: preview.practice.name, number: number.replaceAll(' ', '\u00a0') }),
  );
}

/** @param {VsdkElement} host @param {Preview} preview @param {Act} start @param {Node | null} other  another way to go on */
export function startStep(host, preview, start, other) {
  return step(
    h('p', { class: 'muted', text: preview.practice.name }),
    h('h2', { text: host.t('visit.start.title') }),
    appointment(host, preview),
    primary(host.t('visit.start.button'), start),
    h('p', { class: 'muted', text: host.t('visit.start.next') }),
    other,
  );
}

/** @param {VsdkElement} host @param {Preview} preview @param {Act} test */
export function earlyStep(host, preview, test) {
  const left = h('p', { class: 'lead' });
  const tick = () => {
    left.textContent = host.t('visit.early.opens', {
      time: clock(preview.opens, host.lang, preview.time_zone),
      day: day(preview.opens, host.lang, preview.time_zone),
      left: inTime(Date.parse(preview.opens) - Date.now(), host.lang),
    });
  };
  tick();
  const node = step(
    h('p', { class: 'muted', text: preview.practice.name }),
    h('h2', { text: host.t('visit.early.title') }),
    appointment(host, preview),
    left,
    h('p', { text: host.t('visit.early.stay') }),
    h('button', { on: { click: test } }, icon('settings'), host.t('visit.early.test')),
  );
  return { node, tick };
}

/**
 * Something stands in the way: what it is, what it means, what to do.
 * @param {VsdkElement} host
 * @param {string} code  of docs/errors.md
 * @param {Preview | null} preview
 * @param {{ text: string, act: Act } | null} [way]  the way out, if there is one
 */
export function problemStep(host, code, preview, way = null) {
  const known = host.t(`visit.problem.${code}.title`) !== `visit.problem.${code}.title`;
  const key = `visit.problem.${known ? code : 'other'}`;
  return step(
    preview && h('p', { class: 'muted', text: preview.practice.name }),
    h('h2', { text: host.t(`${key}.title`) }),
    h('p', { class: 'lead', text: host.t(`${key}.text`) }),
    way && primary(way.text, way.act),
    phone(host, preview),
  );
}

/** @param {VsdkElement} host @param {FailureReason} reason */
export function mediaHelp(host, reason) {
  return [
    h('h2', { text: host.t(`media.failure.${reason}.title`) }),
    h('p', { class: 'lead', text: host.t(`media.failure.${reason}.text`) }),
  ];
}

/**
 * @param {VsdkElement} host
 * @param {{ left: boolean, comeBack: Act | null, close: Act | null, preview: Preview | null }} options
 *   `left`: it was the waiting room that was left
 */
export function endedStep(host, { left, comeBack, close, preview }) {
  return step(
    h('h2', { text: host.t(left ? 'visit.left.title' : 'visit.ended.title') }),
    h('p', { class: 'lead', text: host.t(left ? 'visit.left.text' : 'visit.ended.text') }),
    !left && h('p', { text: host.t('visit.ended.data') }),
    comeBack && h('button', { on: { click: comeBack } }, icon('refresh'), host.t('visit.come-back')),
    close && h('button', { class: 'quiet', text: host.t('visit.close'), on: { click: close } }),
    phone(host, preview),
  );
}
