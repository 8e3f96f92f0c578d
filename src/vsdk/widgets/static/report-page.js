/**
 * The system report as a file that people can read: one HTML document without scripts, with small charts, and the same
 * as JSON at its end.
 *
 * @import { Data, Line, Sample } from './report.js'
 * @import { Translate } from './ui/texts.js'
 */

const WIDTH = 640;
const HEIGHT = 80;
const CHARTS = /** @type {const} */ (['roundTrip', 'jitter', 'loss', 'up', 'down', 'height', 'frames']);
const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#16212b}' +
  'table{border-collapse:collapse;width:100%}th,td{text-align:start;padding:4px 8px;border-top:1px solid #d5dce1;' +
  'vertical-align:top;overflow-wrap:anywhere}th{width:35%;font-weight:600}svg{width:100%;height:auto;background:#f5f7f8}' +
  'polyline{fill:none;stroke:#0b6570;stroke-width:2}figure{margin:1rem 0}pre{overflow:auto;font-size:13px}';

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** @param {[string, unknown][]} rows */
function table(rows) {
  const row = (/** @type {[string, unknown]} */ [name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(String(value))}</td></tr>`;
  return `<table>${rows.map(row).join('')}</table>`;
}

/**
 * One value over time. What is not known leaves a gap.
 * @param {Sample[]} samples
 * @param {keyof Sample} name
 * @returns {{ svg: string, least: number, most: number } | null}  null where nothing is known
 */
export function chart(samples, name) {
  const known = samples.flatMap((sample) => (sample[name] === null ? [] : [Number(sample[name])]));
  const first = samples[0]?.at ?? 0;
  const span = Math.max(1, (samples.at(-1)?.at ?? 0) - first);
  if (!known.length) return null;
  const most = Math.max(...known);
  /** @type {string[][]} */
  const runs = [[]];
  for (const sample of samples) {
    const value = sample[name];
    if (value === null) runs.push([]);
    else runs.at(-1)?.push(`${Math.round(((sample.at - first) / span) * WIDTH)},${Math.round(HEIGHT - 4 - (value / (most || 1)) * (HEIGHT - 8))}`);
  }
  const lines = runs.filter((run) => run.length).map((run) => `<polyline points="${run.join(' ')}"/>`);
  return { svg: `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${lines.join('')}</svg>`, least: Math.min(...known), most };
}

/** @param {Line} line @param {number} number @param {Translate} t */
function lineSection({ samples, local, remote, selected }, number, t) {
  const kinds = (/** @type {Line['local']} */ all) =>
    all.map(({ type, protocol, address, relay }) => [type, relay ?? protocol, address].filter(Boolean).join(' ')).join(', ');
  const figures = CHARTS.flatMap((name) => {
    const drawn = chart(samples, name);
    const words = drawn && t('report.range', { name: t(`report.${name}`), least: drawn.least, most: drawn.most });
    return drawn ? [`<figure><figcaption>${escaped(words ?? '')}</figcaption>${drawn.svg}</figure>`] : [];
  });
  return (
    `<h2>${escaped(t('report.line', { number }))}</h2>` +
    table([
      [t('report.selected'), selected?.join(' – ') ?? t('report.nothing')],
      [t('report.local'), kinds(local)],
      [t('report.remote'), kinds(remote)],
    ]) +
    figures.join('')
  );
}

/** @param {Data['checks']} checks @param {Translate} t */
function checksSection(checks, t) {
  const rows = Object.entries(checks).map(([subject, { grade, codes, figures }]) => {
    const measured = Object.entries(figures ?? {}).map(([name, value]) => `${name} ${Math.round(10 * value) / 10}`);
    return /** @type {[string, string]} */ ([t(`visit.check.${subject}`), [t(`visit.grade.${grade}`), ...codes, ...measured].join(', ')]);
  });
  return rows.length ? `<h2>${escaped(t('report.checks'))}</h2>${table(rows)}` : '';
}

/** @param {Data} data @param {Translate} t @param {string} language */
export function readable(data, t, language) {
  const events = data.events.map(({ at, code }) => /** @type {[string, string]} */ ([t('report.second', { at }), code]));
  return (
    `<!doctype html><html lang="${escaped(language)}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${escaped(t('report.title'))}</title><style>${STYLE}</style><h1>${escaped(t('report.title'))}</h1>` +
    `<p>${escaped(t('report.intro'))}</p>` +
    table([[t('report.made'), data.made], [t('report.code'), data.code]]) +
    `<h2>${escaped(t('report.browser'))}</h2>` +
    table([...Object.entries(data.browser), ...Object.entries(data.devices), ...Object.entries(data.permissions)]) +
    checksSection(data.checks, t) +
    data.lines.map((line, at) => lineSection(line, at + 1, t)).join('') +
    `<h2>${escaped(t('report.events'))}</h2>${events.length ? table(events) : `<p>${escaped(t('report.nothing'))}</p>`}` +
    `<details><summary>JSON</summary><pre>${escaped(JSON.stringify(data, null, 1))}</pre></details></html>`
  );
}
