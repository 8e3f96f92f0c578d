/**
 * Messages of a visit on this device (W3C Push API): an offer, and the subscription when it is taken up.
 *
 * @import { VsdkElement } from './ui/element.js'
 */

import { h } from './ui/element.js';
import { icon } from './ui/icons.js';

/** Whether this page could be told: not inside someone else's, and not where a browser has no push. @param {string} server */
function possible(server) {
  const own = new URL(server).origin === location.origin && window.top === window;
  return own && 'serviceWorker' in navigator && 'PushManager' in globalThis && Notification.permission !== 'denied';
}

/**
 * A quiet offer; null where there is nothing to offer.
 * @param {VsdkElement} host
 * @param {string} grant  of the visit
 * @param {string} key  what to subscribe with; empty where the practice sends no push messages
 */
export function pushOffer(host, grant, key) {
  if (!key || !possible(host.server)) return null;
  const said = h('p', { class: 'small', role: 'status' });
  const button = h('button', { class: 'bell' }, icon('message'), host.t('push.offer'));
  button.addEventListener('click', async () => {
    button.disabled = true;
    const outcome = await subscribe(host.server, grant, key).catch(() => 'failed');
    said.textContent = host.t(`push.${outcome}`);
    button.hidden = outcome === 'on' || outcome === 'refused';
    button.disabled = false;
  });
  return h('div', { class: 'stack push' }, button, said);
}

/** @param {string} server @param {string} grant @param {string} key @returns {Promise<'on' | 'refused' | 'failed'>} */
async function subscribe(server, grant, key) {
  if ((await Notification.requestPermission()) !== 'granted') return 'refused';
  const registration = await navigator.serviceWorker.register(`${server}/sw.js`);
  await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const reply = await fetch(`${server}/api/v1/push/subscriptions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${grant}` },
    body: JSON.stringify({ subscription: subscription.toJSON() }),
    credentials: 'omit',
  });
  return reply.ok ? 'on' : 'failed';
}
