/**
 * Signing in: what the practice's identity provider asks for, or the way to it.
 *
 * @import { Way } from './practice-access.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** Which words go with which error code; everything else is `practice.problem-other`. */
const KNOWN = new Set([
  'sign-in-refused',
  'rate-limited',
  'offline',
  'grant-expired',
  'sign-in-over',
  'policy-denied',
  'visit-state',
  'message-just-sent',
]);

/** @param {string} code @param {import('../ui/texts.js').Translate} t */
export function problemText(code, t) {
  return KNOWN.has(code) ? t(`practice.problem-${code}`) : t('practice.problem-other', { code });
}

/** What is asked for, how it is typed in, and what a browser may fill in (HTML, 4.10.18.7). */
const FIELDS = /** @type {Record<string, { type: string, autocomplete: string }>} */ ({
  code: { type: 'password', autocomplete: 'current-password' },
  login: { type: 'text', autocomplete: 'username' },
  password: { type: 'password', autocomplete: 'current-password' },
});

/**
 * @param {string} practice  its name, as far as it is known
 * @param {Way} way
 * @param {{ problem: string, login: string }} last  error code of the last attempt, and who tried; or empty
 * @param {import('../ui/texts.js').Translate} t
 * @param {(params: Record<string, string>) => Promise<void>} submit
 * @param {(() => void) | null} passkey  signs in with one, where that can be
 */
export function signInForm(practice, { asks: all, url }, { problem, login }, t, submit, passkey) {
  const asks = all.filter((name) => name !== 'passkey');
  const words = problem === 'sign-in-refused' && asks.includes('login') ? t('practice.login-refused') : problemText(problem, t);
  const alert = h(
    'p',
    { id: 'problem', class: 'problem', role: 'alert' },
    problem && icon('warning'),
    problem && h('span', { text: words }),
  );
  const inputs = asks.map((name) =>
    h('input', {
      id: name,
      ...(FIELDS[name] ?? { type: 'text', autocomplete: 'off' }),
      required: true,
      value: name === 'login' ? login : null,
      autocapitalize: 'none',
      spellcheck: 'false',
      'aria-describedby': 'problem',
      'aria-invalid': problem ? 'true' : null,
    }),
  );
  const button = h('button', { class: 'primary', text: t('practice.sign-in') });
  /** @param {Event} event */
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    // A password is taken as it is; spaces around a code come from copying it.
    await submit(Object.fromEntries(inputs.map(({ id, value }) => [id, id === 'password' ? value : value.trim()])));
    button.disabled = false;
  };
  const fields = inputs.map((input) => h('div', { class: 'field' }, h('label', { for: input.id, text: t(`practice.field.${input.id}`) }), input));
  return h(
    'div',
    { class: 'step sign-in', part: 'sign-in' },
    h('h2', { text: practice || t('practice.title') }),
    h('p', { class: 'lead', text: t(asks.length ? 'practice.sign-in-lead' : 'practice.sign-in-elsewhere') }),
    asks.length
      ? h(
          'form',
          { class: 'card', on: { submit: send } },
          ...fields,
          alert,
          button,
          passkey && h('button', { type: 'button', on: { click: passkey } }, icon('lock'), t('practice.passkey-use')),
        )
      : h('div', { class: 'card stack' }, alert, h('a', { class: 'button primary', href: url, target: '_top', text: t('practice.sign-in') })),
  );
}
