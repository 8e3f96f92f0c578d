/**
 * What a device check found, in one line for the practice.
 *
 * @import { Grade, Person } from '../protocol.js'
 * @import { Translate } from '../ui/texts.js'
 */

import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

const GRADE_ICONS = /** @type {const} */ ({ good: 'check', fair: 'warning', bad: 'cross' });

/** What is technically wrong, or that nothing is. @param {Person} person @param {Translate} t */
export function checkLine({ check }, t) {
  if (!check) return h('p', { class: 'small muted', text: t('practice.check-none') });
  const parts = /** @type {const} */ (['camera', 'microphone', 'connection']);
  const wrong = parts
    .filter((part) => check[part] !== 'good')
    .map((part) => status(check[part], t(`practice.check-${part}-${check[part]}`)));
  const problems = (check.problems ?? []).map((code) => known(code, t)).filter(Boolean);
  const why = problems.length ? h('span', { class: 'small muted', text: problems.join(', ') }) : null;
  return h('p', { class: 'checks' }, ...(wrong.length ? wrong : [status('good', t('practice.check-good'))]), why);
}

/** In words; other front ends may have codes of their own. @param {string} code @param {Translate} t */
function known(code, t) {
  const text = t(`check.short.${code}`);
  return text === `check.short.${code}` ? '' : text;
}

/** @param {Grade} grade @param {string} text */
export function status(grade, text) {
  return h('span', { class: `status small ${grade}` }, icon(GRADE_ICONS[grade]), h('span', { text }));
}
