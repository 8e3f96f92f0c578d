/**
 * `<vsdk-chat>`: what was written in a visit, and a field to write. Set `connection` before it is added; call `update()`
 * when the chat has changed, and set `seen` to whether somebody looks at it.
 *
 * Emits `vsdk-chat-export` with {visit, messages} when whoever may let people in wants a copy; without anybody who takes
 * it (`preventDefault`), a text file is saved.
 *
 * @import { Message } from '../chat.js'
 * @import { VisitConnection } from '../visit.js'
 */

import { TEXT_LIMIT } from '../chat.js';
import { download } from '../download.js';
import { VsdkElement, h } from '../ui/element.js';
import { icon } from '../ui/icons.js';
import { sheet } from '../ui/styles.js';
import { ChatRow } from './chat-row.js';

const look = sheet(`
:host { background: transparent; }
.main { block-size: 100%; }
:host(.folded) .log { max-block-size: 45vh; }
.chat { display: flex; flex-direction: column; gap: 12px; block-size: 100%; min-block-size: 0; }
.log { flex: 1; min-block-size: 0; overflow-y: auto; }
.log:has(ol:empty) { display: none; }
.log ol { display: grid; gap: 12px; }
.log li { display: grid; gap: 4px; justify-items: start; max-inline-size: 90%; padding: 8px 12px; border-radius: var(--vsdk-radius); background: var(--vsdk-surface); border: 1px solid var(--vsdk-line); }
.log .own { justify-self: end; background: color-mix(in srgb, var(--vsdk-accent) 12%, var(--vsdk-raised)); }
.words { white-space: pre-wrap; }
.log img { max-inline-size: 100%; max-block-size: 40vh; border-radius: 8px; }
.log progress { inline-size: 100%; }
.state { justify-self: end; }
form { display: grid; gap: 8px; }
textarea { resize: none; field-sizing: content; max-block-size: 8rem; }
.ways { display: flex; flex-wrap: wrap; gap: 8px; justify-content: space-between; }
p:empty { display: none; }
`);

export class ChatPanel extends VsdkElement {
  static sheets = [look];

  /** @type {VisitConnection | null} */
  connection = null;
  /** @type {string | undefined} */
  zone;
  #seen = false;
  #built = false;
  /** @type {Map<string, ChatRow>} */ #rows = new Map();
  #to = h('p', { class: 'small' });
  #list = h('ol');
  #log = h('div', { class: 'log', role: 'log', tabindex: 0 }, this.#list);
  #text = h('textarea', { id: 'text', rows: 2, maxlength: TEXT_LIMIT, on: { keydown: (event) => this.#key(event) } });
  #file = h('input', { type: 'file', hidden: true, on: { change: () => this.#attach() } });
  #problem = h('p', { class: 'status bad small', role: 'alert' });
  #copy = h('button', { type: 'button', class: 'quiet', hidden: true, on: { click: () => this.#save() } });
  #onVisible = () => this.#look();

  async start() {
    const t = this.t.bind(this);
    this.#log.setAttribute('aria-label', t('chat.title'));
    this.#copy.replaceChildren(icon('copy'), t('chat.copy'));
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#say();
    };
    this.show(
      h(
        'div',
        { class: 'chat' },
        this.#to,
        this.#log,
        h(
          'form',
          { on: { submit } },
          h('label', { class: 'visually-hidden', for: 'text', text: t('chat.write') }),
          this.#text,
          this.#problem,
          h(
            'div',
            { class: 'ways' },
            h('button', { type: 'button', on: { click: () => this.#file.click() } }, icon('file'), t('chat.attach')),
            this.#file,
            h('button', { type: 'submit' }, icon('message'), t('chat.send')),
          ),
          h('p', { class: 'small muted', text: t('chat.sealed') }),
        ),
        h('div', {}, this.#copy),
      ),
    );
    this.#text.setAttribute('placeholder', t('chat.write'));
    document.addEventListener('visibilitychange', this.#onVisible);
    this.#built = true;
    this.update();
  }

  stop() {
    document.removeEventListener('visibilitychange', this.#onVisible);
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
  }

  /** Whether somebody looks at it. @param {boolean} seen */
  set seen(seen) {
    this.#seen = seen;
    this.#look();
    if (seen) this.#toEnd();
  }

  /** Write now. */
  begin() {
    this.#text.focus();
  }

  update() {
    const chat = this.connection?.chat;
    if (!this.#built || !chat) return;
    const names = [...chat.peers.values()].map(({ name, role }) => name || this.t(`practice.role-${role}`));
    const to = names.length ? this.t('chat.to', { names: names.join(', ') }) : this.t('chat.nobody');
    if (this.#to.textContent !== to) this.#to.textContent = to;
    const known = new Set(chat.messages.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (known.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    for (const message of chat.messages) {
      const row = this.#rows.get(message.id) ?? this.#added(message, chat.own(message));
      row.update(chat, message);
    }
    this.#copy.hidden = chat.messages.length === 0 || !this.connection?.state.you?.capabilities.includes('admit');
    this.#look();
  }

  /** @param {Message} message @param {boolean} own */
  #added(message, own) {
    const row = new ChatRow(this, message, own, this.zone);
    this.#rows.set(message.id, row);
    this.#list.append(row.node);
    this.#toEnd();
    return row;
  }

  #toEnd() {
    requestAnimationFrame(() => (this.#log.scrollTop = this.#log.scrollHeight));
  }

  #look() {
    if (this.#seen && document.visibilityState === 'visible') this.connection?.chat?.seen();
  }

  /** Enter sends; with Shift, it is a new line. @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#say();
  }

  #say() {
    const field = /** @type {HTMLTextAreaElement} */ (this.#text);
    this.#problem.textContent = '';
    this.connection?.chat?.say(field.value);
    field.value = '';
    field.focus();
  }

  #attach() {
    const field = /** @type {HTMLInputElement} */ (this.#file);
    const [file] = field.files ?? [];
    const problem = file ? this.connection?.chat?.offer(file) : '';
    this.#problem.textContent = problem ? this.t(`chat.${problem}`) : '';
    field.value = '';
  }

  /** A copy for the practice's own records; into the system around this page, if that takes it. */
  #save() {
    const { chat, state } = this.connection ?? {};
    if (!chat || !state?.visit) return;
    const messages = chat.messages.map(({ from, name, role, at, text, file }) => ({
      from, name, role, at: new Date(at).toISOString(), text: text ?? null,
      file: file ? new File([file.blob], file.name, { type: file.type }) : null,
    }));
    if (!this.emit('vsdk-chat-export', { visit: state.visit.id, messages })) return this.announce(this.t('chat.copied'));
    const lines = messages.map(({ name, role, at, text, file }) => `${at} ${name || role}: ${text ?? `[${file?.name}]`}`);
    download(`${this.t('chat.title')}.txt`, 'text/plain', `${lines.join('\n')}\n`);
    this.announce(this.t('chat.copied'));
  }
}

customElements.define('vsdk-chat', ChatPanel);
