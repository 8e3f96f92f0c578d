/**
 * Messages in words for those who work in a practice. Pure.
 *
 * @import { IconName } from './ui/icons.js'
 * @import { Translate } from './ui/texts.js'
 */

/** What happened, by error code: `practice.reason-…` says it, `practice.advice-…` what to do about it. */
const REASONS = {
  'number-invalid': 'number',
  'number-unreachable': 'unreachable',
  'mailbox-unknown': 'mailbox',
  'mail-address-invalid': 'mailbox',
  'recipient-opted-out': 'opted-out',
  'message-blocked': 'blocked',
  'message-refused': 'blocked',
  'mail-refused': 'blocked',
  'delivery-failed': 'blocked',
  'push-refused': 'blocked',
  'push-too-large': 'blocked',
  'message-expired': 'late',
  'not-delivered': 'unknown',
  'message-undelivered': 'unknown',
  'gateway-credit': 'credit',
  'gateway-access': 'setup',
  'gateway-request': 'setup',
  'mail-sign-in-failed': 'setup',
  'mail-sender-refused': 'setup',
  'mail-not-encrypted': 'setup',
  'channel-not-set-up': 'setup',
  'push-service-unknown': 'setup',
  'webhook-gone': 'setup',
  'gateway-trouble': 'trouble',
  'mail-deferred': 'trouble',
  'mail-server-unreachable': 'trouble',
  'partner-error': 'trouble',
  'apprise-failed': 'trouble',
  timeout: 'trouble',
  'no-address': 'no-address',
  'push-subscription-gone': 'no-address',
  'message-too-many': 'too-many',
  'message-not-wanted': 'not-wanted',
  'message-no-longer-true': 'no-longer-true',
  'quiet-hours': 'quiet',
};

/** @type {Record<string, { grade: '' | 'good' | 'fair' | 'bad', icon: IconName }>} */
const LOOKS = {
  queued: { grade: '', icon: 'clock' },
  sent: { grade: '', icon: 'check' },
  delivered: { grade: 'good', icon: 'check' },
  undelivered: { grade: 'bad', icon: 'warning' },
  failed: { grade: 'bad', icon: 'warning' },
  expired: { grade: 'fair', icon: 'warning' },
  suppressed: { grade: '', icon: 'cross' },
};

/** Colour and icon of a state; a word always stands beside them. @param {string} state */
export function look(state) {
  return LOOKS[state] ?? LOOKS.queued;
}

/** The first of these texts that exists. @param {Translate} t @param {string} key @param {string} other @param {Record<string, string>} values */
function known(t, key, other, values) {
  const words = t(key);
  return words === key ? t(other, values) : words;
}

/** What kind of message it is. @param {string} template @param {Translate} t */
export function what(template, t) {
  return known(t, `practice.template-${template}`, 'practice.template-other', { template });
}

/** How far it is. @param {string} state @param {Translate} t */
export function progress(state, t) {
  return known(t, `practice.sent-${state}`, 'practice.sent-queued', {});
}

/** @param {string} channel its kind @param {Translate} t */
export function channelName(channel, t) {
  return channel && known(t, `practice.channel-${channel}`, 'practice.channel-other', { channel });
}

/** @param {string} code @param {'message' | 'write-back'} kind */
function reasonOf(code, kind) {
  return kind === 'write-back' ? 'pms' : (REASONS[/** @type {keyof typeof REASONS} */ (code)] ?? 'other');
}

/** Why it is where it is. @param {string} code @param {Translate} t @param {'message' | 'write-back'} [kind] */
export function reason(code, t, kind = 'message') {
  return known(t, `practice.reason-${reasonOf(code, kind)}`, 'practice.reason-other', { code }).replace('{code}', code);
}

/** What a practice can do about it. @param {string} code @param {Translate} t @param {'message' | 'write-back'} [kind] */
export function advice(code, t, kind = 'message') {
  return known(t, `practice.advice-${reasonOf(code, kind)}`, 'practice.advice-other', {});
}

/**
 * "13:50", or with its day where that is another one than today.
 *
 * @param {string} iso @param {number} now milliseconds @param {string} lang @param {string} [zone] IANA name
 */
export function when(iso, now, lang, zone) {
  const time = new Date(iso);
  const dayOf = new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: zone });
  /** @type {Intl.DateTimeFormatOptions} */
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone };
  const sameDay = dayOf.format(time) === dayOf.format(now);
  /** @type {Intl.DateTimeFormatOptions} */
  const format = sameDay ? clock : { weekday: 'short', day: 'numeric', month: 'short', ...clock };
  return new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, format).format(time);
}

/**
 * The delays to choose from, in minutes after the planned start: none that lies in the past already.
 *
 * @param {string} start RFC 3339
 * @param {number} now milliseconds
 */
export function delays(start, now) {
  const late = (now - Date.parse(start)) / 60_000;
  const all = [5, 10, 15, 20, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180];
  return all.filter((minutes) => minutes > late).slice(0, 6);
}
