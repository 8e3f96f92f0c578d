/**
 * What people read during an interruption: the others, why nothing comes, and whoever is on the phone, what the
 * others see and hear of them.
 *
 * @import { Interruption } from '../interruption.js'
 * @import { Interrupted } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { clock } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** What happened, as the others are told. @param {Interrupted} interruption @returns {'phone' | 'page' | 'device'} */
export function kindOf({ cause, kinds }) {
  if (cause === 'ended' || cause === 'device-lost') return 'device';
  return kinds.includes('audio') ? 'phone' : 'page';
}

/**
 * About someone else: what happened, and since when.
 * @param {VsdkElement} host
 * @param {Interrupted} interruption
 * @param {string} name
 * @param {string | undefined} zone  the practice's time zone
 */
export function theirWords(host, interruption, name, zone) {
  const kind = kindOf(interruption);
  const time = clock(interruption.since, host.lang, zone);
  return [
    h('p', { class: 'lead status' }, icon(kind === 'phone' ? 'phone' : 'warning'), host.t(`interruption.${kind}`, { name })),
    h('p', { class: 'small', text: host.t(`interruption.${kind}-text`, { time }) }),
  ];
}

/**
 * What whoever may let people in can do about somebody who is away: invite them back, and phone them.
 *
 * @typedef {{ invite: () => void, phone: string }} Practice  `phone`: empty where the appointment has none
 * @param {VsdkElement} host
 * @param {Practice} practice
 */
export function waysBack(host, { invite, phone }) {
  const invited = h('p', { class: 'small', role: 'status' });
  const click = () => {
    invite();
    invited.textContent = host.t('interruption.invited');
  };
  const button = h('button', { on: { click } }, icon('refresh'), host.t('interruption.invite'));
  return h('div', { class: 'ways' }, button, phone && phoneNumber(host, phone), invited);
}

/** The number, once it is asked for. @param {VsdkElement} host @param {string} number */
function phoneNumber(host, number) {
  const link = h('a', { class: 'button', href: `tel:${number}` }, icon('phone'), number);
  const withhold = h('p', { class: 'small', text: host.t('interruption.withhold') });
  const shown = h('div', { class: 'number', hidden: true }, link, withhold);
  const button = h('button', {}, icon('phone'), host.t('interruption.call'));
  button.addEventListener('click', () => {
    button.hidden = true;
    shown.hidden = false;
    link.focus();
  });
  return h('div', {}, button, shown);
}

/** About oneself; null when all is well. Emits `vsdk-anew`. @param {VsdkElement} host @param {Interruption} interruption */
export function ownCard(host, interruption) {
  const { told, stuck, verdict } = interruption;
  if (!told) return null;
  const kind = verdict.call ? (verdict.back ? 'seen' : 'calling') : told.kinds.includes('audio') ? 'sound' : 'picture';
  const hidden = verdict.call && !verdict.back && told.kinds.includes('video');
  return h(
    'div',
    { class: 'notice fair own' },
    icon(verdict.call ? 'phone' : 'warning'),
    h(
      'div',
      { class: 'stack' },
      h('p', { class: 'lead', text: host.t(`interruption.own-${kind}`) }),
      stuck && h('p', { text: host.t('interruption.own-stuck') }),
      hidden && h('button', { on: { click: () => interruption.showPicture() } }, icon('camera'), host.t('interruption.show-picture')),
      stuck && h('button', { on: { click: () => host.emit('vsdk-anew') } }, icon('refresh'), host.t('interruption.reload')),
    ),
  );
}
