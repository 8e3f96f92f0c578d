/**
 * The system report, for its owner to keep or to send to support: as a page, or as JSON.
 *
 * @import { Report } from '../report.js'
 * @import { VsdkElement } from '../ui/element.js'
 */

import { download } from '../download.js';
import { h } from '../ui/element.js';
import { icon } from '../ui/icons.js';

/** @param {VsdkElement} host @param {Report} report */
export function reportButtons(host, report) {
  const save = async (/** @type {'html' | 'json'} */ kind) => {
    const { readable } = await import('../report-page.js');
    const data = await report.data();
    const name = `vsdk-report-${data.made.slice(0, 16).replace(/\D/g, '-')}.${kind}`;
    if (kind === 'json') download(name, 'application/json', JSON.stringify(data, null, 1));
    else download(name, 'text/html', readable(data, (key, values) => host.t(key, values), host.lang));
  };
  return h(
    'div',
    { class: 'stack report' },
    h(
      'div',
      { class: 'buttons' },
      h('button', { on: { click: () => void save('html') } }, icon('copy'), host.t('report.save')),
      h('button', { class: 'quiet', text: host.t('report.save-json'), on: { click: () => void save('json') } }),
    ),
    h('p', { class: 'small muted', text: host.t('report.what') }),
  );
}
