/**
 * Our own pages: what stands after the `#` of the address goes to the element. It never reaches the server
 * in a URL: the handle of a join link, or an access code of a practice.
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
  for (const [tag, attribute] of Object.entries(RECEIVERS)) {
    document.querySelector(tag)?.setAttribute(attribute, secret);
  }
}

handOver();
addEventListener('hashchange', handOver);
