/**
 * Texts of the pages, from the server's catalogues: `${server}/texts/${language}.json`, flat {key: text}.
 */

/** @typedef {Record<string, string | number>} Values */
/** @typedef {(key: string, values?: Values) => string} Translate */

/** @type {Map<string, Promise<Record<string, string>>>} */
const loading = new Map();

/**
 * @param {string} url
 * @returns {Promise<Record<string, string>>}
 */
async function fetchCatalogue(url) {
  const reply = await fetch(url, { credentials: 'omit' });
  if (!reply.ok) throw new Error(`no texts: ${reply.status}`);
  return reply.json();
}

/**
 * One request per address and page; a failed one may be tried again.
 *
 * @param {string} url
 */
function catalogue(url) {
  const known = loading.get(url);
  if (known) return known;
  const promise = fetchCatalogue(url);
  promise.catch(() => loading.delete(url));
  loading.set(url, promise);
  return promise;
}

/**
 * `t(key, {name: value})` replaces `{name}`. A key that is missing is shown as it is.
 * A language that the server does not have becomes English. Rejects when the server cannot be reached.
 *
 * @param {string} server base address, without a slash at the end
 * @param {string} lang BCP 47 tag; only its language counts
 * @returns {Promise<Translate>}
 */
export async function loadTexts(server, lang) {
  const language = (lang.split('-')[0] || 'en').toLowerCase();
  const texts = await catalogue(`${server}/texts/${language}.json`).catch((error) => {
    if (language === 'en') throw error;
    return catalogue(`${server}/texts/en.json`);
  });
  return (key, values = {}) =>
    (texts[key] ?? key).replace(/\{(\w+)\}/g, (found, name) => String(values[name] ?? found));
}
