/**
 * Help that depends on the browser: its question, drawn before it comes; how to undo a refusal; the way out of an app.
 *
 * @import { Browser } from '../browser.js'
 * @import { Preview } from '../api.js'
 * @import { FailureReason } from '../media-failure.js'
 * @import { VsdkElement } from '../ui/element.js'
 * @import { Act } from './join-steps.js'
 *
 * @typedef {'both' | 'camera' | 'microphone'} Asked
 */

import { joinCode } from '../api.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { phone, primary, step } from './join-steps.js';

/** What the browser's question looks like, and which word to choose. @param {VsdkElement} host @param {Browser} browser @param {Asked} asked */
function question(host, { family, system }, asked) {
  const word = host.t(`permission.word-${family}`);
  const where = family === 'other' ? '' : host.t(`permission.where-${system === 'computer' ? family : system}`);
  return h(
    'figure',
    { class: 'question' },
    h(
      'div',
      { class: 'bubble', 'aria-hidden': 'true' },
      h('p', { class: 'status' }, asked !== 'microphone' && icon('camera'), asked !== 'camera' && icon('microphone'), `${location.host}`),
      h('p', { class: 'choices' }, h('span', { text: host.t('permission.deny') }), h('strong', { text: word })),
    ),
    h('figcaption', { text: `${host.t('permission.choose', { word })} ${where}`.trim() }),
  );
}

/**
 * Explains the browser's question, before it is asked. On a computer camera and microphone are asked for one by one.
 * @param {VsdkElement} host @param {Browser} browser @param {Asked} asked @param {Act} ask
 */
export function allowStep(host, browser, asked, ask) {
  return step(
    h('h2', { text: host.t(`permission.title-${asked}`) }),
    asked === 'microphone' && h('p', { class: 'status good' }, icon('check'), host.t('permission.camera-done')),
    h(
      'ul',
      { class: 'stack' },
      asked !== 'microphone' && h('li', { class: 'planned status' }, icon('camera'), host.t('visit.allow.camera')),
      asked !== 'camera' && h('li', { class: 'planned status' }, icon('microphone'), host.t('visit.allow.microphone')),
    ),
    question(host, browser, asked),
    primary(host.t('visit.allow.button'), ask),
    h('p', { class: 'muted', text: host.t('visit.allow.private') }),
  );
}

/** How a refusal is undone in this browser. @param {VsdkElement} host @param {Browser} browser */
function undo(host, { family, system }) {
  const place = system === 'ios' ? 'ios' : `${family === 'other' ? 'chrome' : family}-${system}`;
  return h('ol', { class: 'stack numbered' }, ...host.t(`permission.undo-${place}`).split('\n').map((text) => h('li', { text })));
}

/** The link as a QR code, for going on with a phone. @param {VsdkElement} host @param {string} handle */
export function onPhone(host, handle) {
  const picture = h('p', { role: 'status' });
  const details = h(
    'details',
    { class: 'other-device' },
    h('summary', {}, host.t('permission.on-phone')),
    h('p', { text: host.t('permission.on-phone-how') }),
    picture,
  );
  details.addEventListener('toggle', async () => {
    if (!details.open || picture.firstChild) return;
    try {
      const image = h('img', { class: 'code', alt: host.t('permission.code'), src: URL.createObjectURL(await joinCode(host.server, handle)) });
      picture.append(image);
    } catch {
      picture.textContent = host.t('permission.code-failed');
    }
  });
  return details;
}

/** The link for pasting elsewhere; it stays on this device. @param {VsdkElement} host @param {string} link */
function copyLink(host, link) {
  const field = h('input', { readonly: true, value: link, 'aria-label': host.t('permission.link'), hidden: true });
  const said = h('p', { class: 'small', role: 'status' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = host.t('permission.copied');
    } catch {
      field.hidden = false;
      field.select();
      said.textContent = host.t('permission.copy-yourself');
    }
  };
  return h('div', { class: 'stack' }, h('button', { on: { click: () => void copy() } }, host.t('permission.copy')), field, said);
}

/**
 * This window cannot do it, or most likely not: how to get to one that can.
 * @param {VsdkElement} host
 * @param {Browser} browser
 * @param {{ reason: 'app' | 'insecure' | 'unsupported', link: string, preview: Preview | null, anyway: Act | null }} options
 */
export function browserStep(host, { system, app }, { reason, link, preview, anyway }) {
  const name = app && app !== 'other' ? app : host.t('permission.this-app');
  const better = host.t(`permission.better-${system}`);
  return step(
    preview && h('p', { class: 'muted', text: preview.practice.name }),
    h('h2', { text: reason === 'insecure' ? host.t('media.failure.insecure.title') : host.t('permission.open-in', { browser: better }) }),
    h('p', { class: 'lead', text: reason === 'app' ? host.t('permission.inside', { app: name }) : host.t(`media.failure.${reason}.text`) }),
    reason === 'app' && h('p', { text: host.t(`permission.out-${system}`, { browser: better }) }),
    copyLink(host, link),
    anyway && h('button', { text: host.t('permission.anyway'), on: { click: anyway } }),
    phone(host, preview),
  );
}

/**
 * Camera and microphone cannot be had: why, what to do in this browser, and the ways on.
 * @param {VsdkElement} host
 * @param {Browser} browser
 * @param {FailureReason} reason
 * @param {{ handle: string, preview: Preview | null, again: Act, soundOnly: Act, none: Act }} ways
 */
export function mediaFailedStep(host, browser, reason, { handle, preview, again, soundOnly, none }) {
  const embedded = reason === 'embedding-forbids';
  const ownTab = h('a', { class: 'button primary', href: `${host.server}/j#${handle}`, target: '_blank', rel: 'noopener' }, host.t('permission.own-tab'));
  return step(
    h('h2', { text: host.t(`media.failure.${reason}.title`) }),
    h('p', { class: 'lead', text: host.t(`media.failure.${reason}.text`) }),
    reason === 'refused' && undo(host, browser),
    reason === 'dismissed' && question(host, browser, 'both'),
    embedded ? ownTab : primary(host.t('visit.again'), again),
    !embedded && reason !== 'insecure' && h('button', { on: { click: soundOnly } }, icon('microphone'), host.t('visit.sound-only')),
    browser.system === 'computer' && onPhone(host, handle),
    phone(host, preview),
    h('button', { class: 'quiet', text: host.t('visit.without-both'), on: { click: none } }),
  );
}
