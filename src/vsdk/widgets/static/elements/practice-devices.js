/**
 * The dialog with those who are signed in for the practice, on which device, since when; and a button to end each.
 *
 * @import { VsdkElement } from '../ui/element.js'
 * @typedef {{ id: string, name: string, role: string, provider: string, device: string, since: string, used: string, current: boolean }} SignIn
 */

import { canPasskey, makePasskey } from '../passkey.js';
import { clock, day } from '../times.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** @param {VsdkElement} host @param {() => string} grant @param {string | undefined} zone */
export function devicesDialog(host, grant, zone) {
  const t = host.t.bind(host);
  const list = h('ul', { class: 'stack devices' });
  const said = h('p', { class: 'small', role: 'status' });
  const ask = (/** @type {string} */ path, /** @type {string} */ method) =>
    fetch(`${host.server}/api/v1/sign-ins${path}`, { method, headers: { authorization: `Bearer ${grant()}` }, credentials: 'omit' });
  const make = async () => {
    const made = await makePasskey(host.server, grant()).catch(() => false);
    said.textContent = t(made ? 'practice.passkey-made' : 'practice.passkey-not-made');
  };
  const passkey = h('button', { hidden: true, on: { click: () => void make() } }, icon('lock'), t('practice.passkey-make'));
  const draw = async () => {
    const reply = await ask('', 'GET').catch(() => null);
    const found = /** @type {SignIn[]} */ (reply?.ok ? (await reply.json()).sign_ins : []);
    list.replaceChildren(...found.map(row));
    passkey.hidden = !canPasskey() || !found.some(({ current, provider }) => current && provider === 'accounts');
    if (!reply?.ok) said.textContent = t('practice.devices-unknown');
  };
  /** @param {SignIn} signIn */
  const row = ({ id, name, role, device, since, used, current }) => {
    const who = name || t(`practice.devices-role-${role === 'staff' ? 'staff' : 'practitioner'}`);
    const when = t('practice.devices-when', {
      since: `${day(since, host.lang, zone)}, ${clock(since, host.lang, zone)}`,
      used: clock(used, host.lang, zone),
    });
    const end = async () => {
      const reply = await ask(`/${id}/end`, 'POST').catch(() => null);
      said.textContent = t(reply?.ok ? 'practice.devices-ended' : 'practice.devices-unknown');
      await draw();
    };
    return h(
      'li',
      { class: 'card stack' },
      h('p', {}, h('strong', { text: who }), device && ` · ${device}`),
      h('p', { class: 'small muted', text: when }),
      current
        ? h('p', { class: 'status small good' }, icon('check'), t('practice.devices-this'))
        : h('button', { 'aria-label': t('practice.devices-end-name', { who, device }), text: t('practice.devices-end'), on: { click: () => void end() } }),
    );
  };
  const dialog = h('dialog', { 'aria-label': t('practice.devices'), on: { close: () => dialog.remove() } });
  const close = h('button', { class: 'primary', text: t('practice.devices-close'), on: { click: () => dialog.close() } });
  dialog.append(h('div', { class: 'stack' }, h('h2', { text: t('practice.devices') }), list, passkey, said, close));
  host.shadowRoot?.append(dialog);
  void draw().then(() => dialog.isConnected && dialog.showModal());
  return dialog;
}
