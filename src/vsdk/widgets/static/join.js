/** What the page behind a join link loads. */

import './elements/video-visit.js';
import './page.js';
import { showInTitle } from './attention.js';

const visit = document.querySelector('vsdk-video-visit');
navigator.serviceWorker?.addEventListener('message', ({ data }) => {
  if (data?.type === 'vsdk-come-back') visit?.dispatchEvent(new Event('vsdk-come-back'));
});
visit?.addEventListener('vsdk-reload', (event) => {
  event.preventDefault();
  location.reload();
});
if (visit) showInTitle(/** @type {import('./ui/element.js').VsdkElement} */ (visit));
