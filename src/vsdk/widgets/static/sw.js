/**
 * The service worker of a server: shows what is pushed, and leads to the visit on a click (W3C Push API, docs/channels/
 * push.md). It keeps nothing and answers no request: pages come from the server, always.
 */

/** @typedef {{ title: string, body?: string, url?: string, lang?: string, tag?: string }} Pushed */

const worker = /** @type {any} */ (globalThis);

worker.addEventListener('push', (/** @type {any} */ event) => {
  /** @type {Pushed} */
  const { title, body, url, lang, tag } = event.data?.json() ?? {};
  const options = { body, lang, tag, renotify: Boolean(tag), requireInteraction: true, data: { url } };
  event.waitUntil(worker.registration.showNotification(title, options));
});

worker.addEventListener('notificationclick', (/** @type {any} */ event) => {
  event.notification.close();
  const { url } = event.notification.data ?? {};
  if (url) event.waitUntil(show(url));
});

/** A page that shows this visit comes to the front; else one is opened. @param {string} url */
async function show(url) {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = pages.find((/** @type {{ url: string }} */ page) => page.url === url);
  if (!open) return worker.clients.openWindow(url);
  await open.focus().catch(() => {});
  open.postMessage({ type: 'vsdk-come-back' });
}

worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
