/**
 * Somebody is let in while the page is in the background: title, icon, badge, a few soft notes, a vibration. Nothing
 * of it while the page is seen.
 *
 * @import { VsdkElement } from './ui/element.js'
 */

/** As the page's icon, with a dot. */
const CALLING =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"%3E%3Ccircle cx="16" cy="16" r="14" fill="%23b3261e"/%3E%3Ccircle cx="16" cy="16" r="6" fill="%23fff"/%3E%3C/svg%3E';
const VIBRATION = [200, 100, 200, 100, 400];

/** Heard and felt. Sound needs a click on the page before, which everyone made who came this far. */
export async function callIn() {
  if (document.visibilityState === 'visible') return;
  navigator.vibrate?.(VIBRATION);
  const { chime } = await import('./test-media.js');
  await chime().catch(() => {});
}

/** Tells the state of a visit in the title and the icon of a page of ours. @param {VsdkElement} visit */
export function showInTitle(visit) {
  const title = document.title;
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel=icon]'));
  const icon = link?.href ?? '';
  const badge = /** @type {{ setAppBadge?: (count: number) => Promise<void>, clearAppBadge?: () => Promise<void> }} */ (navigator);
  let phase = '';
  const show = () => {
    const calling = phase === 'visit' && document.visibilityState !== 'visible';
    const words = calling ? `● ${visit.t('attention.come-in')}` : phase === 'waiting' ? visit.t('attention.waiting') : '';
    document.title = words ? `${words} – ${title}` : title;
    if (link) link.href = calling ? CALLING : icon;
    if (calling) void badge.setAppBadge?.(1).catch(() => {});
    else void badge.clearAppBadge?.().catch(() => {});
  };
  visit.addEventListener('vsdk-state', (event) => {
    const next = /** @type {CustomEvent<{ phase: string }>} */ (event).detail.phase;
    if (phase === next) return;
    phase = next;
    show();
  });
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && show());
}
