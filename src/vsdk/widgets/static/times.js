/** Times as people read them: in the practice's time zone, in the page's language. */

/** Dates and hours as our practices write them. @param {string} lang */
function local(lang) {
  return lang === 'en' ? 'en-GB' : lang;
}

/** @param {string} iso @param {string} lang @param {string} [zone] IANA name; without it the browser's own */
export function clock(iso, lang, zone) {
  return new Intl.DateTimeFormat(local(lang), { timeStyle: 'short', timeZone: zone }).format(new Date(iso));
}

/** @param {string} iso @param {string} lang @param {string} [zone] */
export function day(iso, lang, zone) {
  const format = { weekday: 'long', day: 'numeric', month: 'long', timeZone: zone };
  return new Intl.DateTimeFormat(local(lang), /** @type {Intl.DateTimeFormatOptions} */ (format)).format(new Date(iso));
}

/** So many minutes after. @param {string} iso @param {number} minutes */
export function later(iso, minutes) {
  return new Date(Date.parse(iso) + minutes * 60_000).toISOString();
}

/**
 * "in 12 minutes", "in 3 hours", "in 2 days": rounded up, at least one minute.
 * @param {number} milliseconds
 * @param {string} lang
 */
export function inTime(milliseconds, lang) {
  const minutes = Math.max(1, Math.ceil(milliseconds / 60_000));
  const format = new Intl.RelativeTimeFormat(lang, { numeric: 'always' });
  if (minutes < 120) return format.format(minutes, 'minute');
  if (minutes < 48 * 60) return format.format(Math.floor(minutes / 60), 'hour');
  return format.format(Math.floor(minutes / (24 * 60)), 'day');
}

/** How long something has gone on: "4:07", "1:02:30". @param {number} milliseconds */
export function elapsed(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
