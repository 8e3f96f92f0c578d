/**
 * Our icons: 24 px grid, 1.75 px strokes, in the colour of the text. They carry no meaning of their own:
 * a word always stands beside them, so they are hidden from screen readers.
 */

const CAMERA =
  'M5 7h8a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2Z M15 10.5l6-3v9l-6-3';
const MICROPHONE =
  'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3Z M6 11a6 6 0 0 0 12 0 M12 17v4 M9 21h6';
const OFF = ' M4 3.5l16 17';

const SHAPES = {
  camera: CAMERA,
  'camera-off': CAMERA + OFF,
  microphone: MICROPHONE,
  'microphone-off': MICROPHONE + OFF,
  'hang-up':
    'M3.5 14.5c0-1 .3-2 1-2.6C6.6 10 9.2 9 12 9s5.4 1 7.5 2.9c.7.6 1 1.6 1 2.6v1a1 1 0 0 1-1.2 1' +
    'l-3-.6a1 1 0 0 1-.8-1v-1.7a10 10 0 0 0-7 0v1.7a1 1 0 0 1-.8 1l-3 .6a1 1 0 0 1-1.2-1Z',
  phone:
    'M6 3h3l1.5 4.5-2 1.5a12 12 0 0 0 6.5 6.5l1.5-2L21 15v3a2.5 2.5 0 0 1-2.5 2.5' +
    'C10.5 20.5 3.5 13.5 3.5 5.5A2.5 2.5 0 0 1 6 3Z',
  message: 'M5 5h14a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 19 17h-7l-5 3.5V17H5a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 5 5Z',
  file: 'M6 3h8l4 4v13a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Z M14 3v5h5 M9 13h6 M9 17h6',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  warning: 'M12 4l9 16H3Z M12 10v4.5 M12 17.2v.1',
  cross: 'M6 6l12 12 M18 6L6 18',
  clock: 'M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18Z M12 7.5V12l3 2',
  person: 'M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8Z M4.5 20.5c.8-3.8 3.8-6 7.5-6s6.7 2.2 7.5 6',
  door: 'M6 21V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v17 M3.5 21h17 M14.5 12v.1',
  speaker:
    'M4 9.5h3.5L12 5.5v13l-4.5-4H4Z M15.5 9a4.2 4.2 0 0 1 0 6 M18 6.5a7.8 7.8 0 0 1 0 11',
  wifi:
    'M2.5 9.5a14 14 0 0 1 19 0 M5.7 13a9.3 9.3 0 0 1 12.6 0 M9 16.4a4.5 4.5 0 0 1 6 0' +
    ' M12 19.5v.1',
  refresh: 'M20 12a8 8 0 1 1-2.4-5.7 M20 3.5v4h-4',
  chevron: 'M6 9.5l6 6 6-6',
  calendar:
    'M5 5h14a1.5 1.5 0 0 1 1.5 1.5V19a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 19V6.5' +
    'A1.5 1.5 0 0 1 5 5Z M3.5 10h17 M8 3v4 M16 3v4',
  settings:
    'M4 7h9 M17 7h3 M4 17h3 M11 17h9 M15 5a2 2 0 1 1 0 4a2 2 0 0 1 0-4Z' +
    ' M9 15a2 2 0 1 1 0 4a2 2 0 0 1 0-4Z',
  lock: 'M7.5 11V8a4.5 4.5 0 0 1 9 0v3 M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1Z',
  screen: 'M4 5h16a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Z M8 20h8 M12 16v4',
  'full-screen': 'M4 9V4h5 M20 9V4h-5 M4 15v5h5 M20 15v5h-5',
  'picture-in-picture': 'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1Z M12 12h6v4h-6Z',
  external: 'M14 4h6v6 M20 4l-9 9 M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5',
  copy:
    'M9 8h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Z' +
    ' M16 8V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h3',
};

/** @typedef {keyof typeof SHAPES} IconName */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = /** @type {SVGSVGElement} */ (document.createElementNS(SVG, 'svg'));
  const attributes = {
    viewBox: '0 0 24 24',
    width: '24',
    height: '24',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '1.75',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    class: 'icon',
    'aria-hidden': 'true',
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', SHAPES[name]);
  svg.append(path);
  return svg;
}
