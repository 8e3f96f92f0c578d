/**
 * Our own pages: what stands after the `#` of the address goes to the element. It never reaches the server
 * in a URL: the handle of a join link, an access code of a practice, or a token of its system.
 */

const RECEIVERS = {
  'vsdk-video-visit': 'handle',
  'vsdk-appointment-confirmation': 'handle',
  'vsdk-message-choice': 'handle',
  'vsdk-practice-queue': 'code',
  'vsdk-practice-messages': 'code',
};

function handOver() {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a[hreflang]'))) {
    link.hash = location.hash;
  }
  const secret = decodeURIComponent(location.hash.slice(1));
  if (!secret) return;
  if (secret.startsWith('token=')) return openWith(new URLSearchParams(location.hash.slice(1)));
  for (const [tag, attribute] of Object.entries(RECEIVERS)) {
    document.querySelector(tag)?.setAttribute(attribute, secret);
  }
}

/** The practice system opens its list, or a visit. A token is good once: it does not stay in the address. @param {URLSearchParams} given */
function openWith(given) {
  history.replaceState(null, '', location.pathname + location.search);
  const list = document.querySelector('vsdk-practice-queue');
  list?.setAttribute('visit', given.get('visit') ?? '');
  list?.setAttribute('token', given.get('token') ?? '');
}

handOver();
addEventListener('hashchange', handOver);
