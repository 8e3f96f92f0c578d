/** The form with the access code. */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** Which words go with which error code; everything else is `practice.problem-other`. */
const KNOWN = new Set([
  'sign-in-refused',
  'rate-limited',
  'offline',
  'grant-expired',
  'policy-denied',
  'visit-state',
  'message-just-sent',
]);

/** @param {string} code @param {import('../ui/texts.js').Translate} t */
export function problemText(code, t) {
  return KNOWN.has(code) ? t(`practice.problem-${code}`) : t('practice.problem-other', { code });
}

/**
 * @param {string} practice  its name, as far as it is known
 * @param {string} problem  error code of the last attempt, or empty
 * @param {import('../ui/texts.js').Translate} t
 * @param {(code: string) => Promise<void>} submit
 */
export function signInForm(practice, problem, t, submit) {
  const input = h('input', {
    id: 'code',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    'aria-describedby': 'problem',
    'aria-invalid': problem ? 'true' : null,
  });
  const button = h('button', { class: 'primary', text: t('practice.sign-in') });
  /** @param {Event} event */
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    await submit(input.value.trim());
    button.disabled = false;
  };
  return h(
    'div',
    { class: 'step sign-in', part: 'sign-in' },
    h('h2', { text: practice || t('practice.title') }),
    h('p', { class: 'lead', text: t('practice.sign-in-lead') }),
    h(
      'form',
      { class: 'card', on: { submit: send } },
      h('div', { class: 'field' }, h('label', { for: 'code', text: t('practice.access-code') }), input),
      h(
        'p',
        { id: 'problem', class: 'problem', role: 'alert' },
        problem && icon('warning'),
        problem && h('span', { text: problemText(problem, t) }),
      ),
      button,
    ),
  );
}
