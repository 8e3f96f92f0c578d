/**
 * What was sent about a visit, newest first, and once more what did not arrive.
 *
 * @import { Entry } from '../protocol.js'
 * @import { VsdkElement } from '../ui/element.js'
 * @import { Message, MessagesApi } from '../messages-api.js'
 * @import { Opened } from './practice-dialogs.js'
 */

import { channelName, look, progress, reason, what, when } from '../message-words.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { codeOf, notice } from './practice-door.js';
import { names, part } from './practice-rows.js';
import { problemText } from './practice-sign-in.js';

const FINAL = new Set(['closed', 'cancelled', 'noshow']);
/** These go to the practice's own people. */
const TO_TEAM = new Set(['patient-waiting', 'failed-delivery']);
const WITH_LINK = new Set(['invitation', 'link-at-time', 'reminder', 'moved', 'delay', 'invited-back']);

/** @param {VsdkElement} host @param {Entry} entry @param {MessagesApi} api @returns {Opened} */
export function messagesDialog(host, entry, api) {
  const t = host.t.bind(host);
  const zone = host.getAttribute('time-zone') ?? undefined;
  const list = h('div', { class: 'stack', 'aria-busy': 'true' }, h('p', { class: 'muted', text: t('practice.loading') }));
  const said = h('div', { role: 'status' });
  let seen = JSON.stringify(entry.messages);

  /** Which of the buttons has the focus. @returns {string | undefined} */
  function focused() {
    const active = /** @type {HTMLElement | null | undefined} */ (host.shadowRoot?.activeElement);
    return active && list.contains(active) ? active.dataset.key : undefined;
  }

  /** Does something that gives all messages, and shows them. @param {Promise<Message[]>} work @param {string} [word] */
  async function show(work, word) {
    const key = focused();
    for (const button of list.querySelectorAll('button')) button.disabled = true;
    try {
      draw(await work, key);
      said.replaceChildren(...(word ? [h('p', { class: 'status good' }, icon('check'), word)] : []));
    } catch (error) {
      said.replaceChildren(notice('bad', problemText(codeOf(error), t)));
      for (const button of list.querySelectorAll('button')) button.disabled = false;
      focus(key);
    }
    list.removeAttribute('aria-busy');
  }

  /** @param {Message[]} messages oldest first @param {string} [key] of the button that had the focus */
  function draw(messages, key) {
    const newest = new Map(messages.map((message) => [`${message.participant}/${message.template}`, message.id]));
    const rows = messages.map((message) => {
      const last = newest.get(`${message.participant}/${message.template}`) === message.id;
      return item(message, last && !FINAL.has(entry.state) && !TO_TEAM.has(message.template));
    });
    list.replaceChildren(
      ...(messages.length ? [] : [h('p', { class: 'muted', text: t('practice.messages-none') })]),
      ...(messages.some(({ template }) => WITH_LINK.has(template)) || FINAL.has(entry.state) ? [] : [linkButton()]),
      h('ol', { class: 'messages' }, ...rows.reverse()),
    );
    focus(key);
  }

  /** @param {string} [key] */
  function focus(key) {
    if (key === undefined) return;
    const button = /** @type {HTMLElement | null} */ (list.querySelector(`[data-key="${CSS.escape(key)}"]`));
    (button ?? title).focus();
  }

  /** @param {Message} message @param {boolean} canRepeat */
  function item(message, canRepeat) {
    const { grade, icon: sign } = look(message.state);
    const person = entry.people.find(({ participant }) => participant === message.participant);
    const who = person?.name || t(`practice.role-${message.role || 'patient'}`);
    const where = [channelName(message.channel, t), message.recipient].filter(Boolean).join(' ');
    const parts = message.segments > 1 ? [t('practice.segments', { count: message.segments })] : [];
    const word = what(message.template, t);
    const time = when(message.updated, Date.now(), host.lang, zone);
    return h(
      'li',
      {},
      h(
        'div',
        { class: 'about' },
        h('h3', { text: word }),
        h('p', { class: 'small muted', text: [t('practice.message-to', { name: who }), where, ...parts].filter(Boolean).join(' · ') }),
        h('p', { class: `status small ${grade}` }, icon(sign), h('span', { text: `${progress(message.state, t)} · ${time}` })),
        message.code ? h('p', { class: 'small', text: reason(message.code, t) }) : null,
      ),
      canRepeat &&
        h('button', {
          type: 'button',
          class: grade === 'bad' ? '' : 'quiet',
          'data-key': `${message.participant}/${message.template}`,
          'aria-label': t('practice.send-again-what', { what: word, name: who }),
          text: t('practice.send-again'),
          on: { click: () => void show(api.again(message.id), t('practice.message-goes')) },
        }),
    );
  }

  function linkButton() {
    const template = part(entry, Date.now(), zone) === 'later' ? 'invitation' : 'link-at-time';
    return h('button', {
      type: 'button',
      class: 'primary',
      'data-key': 'link',
      text: t('practice.send-link'),
      on: { click: () => void show(api.send(entry.visit, template), t('practice.message-goes')) },
    });
  }

  const title = h('h2', { id: 'messages-title', tabindex: -1, text: t('practice.messages-title', { name: names(entry, t) }) });
  const element = h(
    'dialog',
    { 'aria-labelledby': 'messages-title' },
    h(
      'div',
      { class: 'dialog-head' },
      title,
      h(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': t('practice.close'), on: { click: () => element.close() } },
        icon('cross'),
      ),
    ),
    said,
    list,
  );
  void show(api.of(entry.visit));
  return {
    element,
    update: (changed) => {
      entry = changed;
      const now = JSON.stringify(changed.messages);
      if (now === seen) return;
      seen = now;
      void show(api.of(entry.visit));
    },
  };
}
