/**
 * That some messages did not arrive, and the way to them: our own page, or a dialog where a PMS shows the list.
 *
 * @import { VsdkElement } from '../ui/element.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** @param {VsdkElement} host @param {number} count @param {string} grant */
export function givenUpNotice(host, count, grant) {
  const text = count === 1 ? host.t('practice.given-up-one') : host.t('practice.given-up', { count });
  const practice = host.getAttribute('practice');
  if (practice && !host.hasAttribute('grant')) {
    const href = `${host.server}/practice/${encodeURIComponent(practice)}/messages?lang=${host.lang}`;
    return h('a', { class: 'button given-up', href }, icon('warning'), h('span', { text }), icon('chevron'));
  }
  const open = () => dialog(host, grant);
  return h('button', { type: 'button', class: 'given-up', on: { click: open } }, icon('warning'), h('span', { text }), icon('chevron'));
}

/** @param {VsdkElement} host @param {string} grant */
function dialog(host, grant) {
  const attributes = { server: host.server, lang: host.lang, grant, 'time-zone': host.getAttribute('time-zone') };
  const element = h(
    'dialog',
    { class: 'wide', 'aria-label': host.t('practice.undelivered-title'), on: { close: () => element.remove() } },
    h(
      'div',
      { class: 'dialog-head end' },
      h(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': host.t('practice.close'), on: { click: () => element.close() } },
        icon('cross'),
      ),
    ),
    h('vsdk-practice-messages', attributes),
  );
  host.shadowRoot?.append(element);
  element.showModal();
}
