/**
 * Which browser this is, as far as its help differs: where it asks for the camera, with which words, and how a refusal
 * is undone. Nothing is decided by it about what a browser can do.
 *
 * @typedef {'chrome' | 'safari' | 'firefox' | 'other'} Family  Edge, Samsung Internet and Opera ask as Chrome does
 * @typedef {{ family: Family, system: 'android' | 'ios' | 'computer', app: string }} Browser  `app`: the name of the
 *   app that shows the page in a window of its own, `other` for one that is not known, empty for a real browser
 */

/** Apps that open links in a window of their own, which mostly has no camera. @type {[RegExp, string][]} */
const APPS = [
  [/\bFBAN|\bFBAV|FB_IAB/, 'Facebook'],
  [/Instagram/, 'Instagram'],
  [/WhatsApp/, 'WhatsApp'],
  [/BytedanceWebview|musical_ly|TikTok/, 'TikTok'],
  [/Snapchat/, 'Snapchat'],
  [/LinkedInApp/, 'LinkedIn'],
  [/MicroMessenger/, 'WeChat'],
  [/\bLine\//, 'Line'],
  [/Telegram/, 'Telegram'],
  [/\bGSA\//, 'Google'],
];

/**
 * @param {string} agent  navigator.userAgent
 * @param {number} [touchPoints]  navigator.maxTouchPoints: an iPad calls itself a Mac
 * @returns {Browser}
 */
export function recognise(agent, touchPoints = 0) {
  const ios = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1);
  const system = ios ? 'ios' : /Android/.test(agent) ? 'android' : 'computer';
  return { family: familyOf(agent, ios), system, app: appOf(agent, system) };
}

/** @param {string} agent @param {boolean} ios @returns {Family} */
function familyOf(agent, ios) {
  if (/Firefox\/|FxiOS/.test(agent)) return 'firefox';
  if (ios) return 'safari';
  if (/Chrome\/|Chromium\//.test(agent)) return 'chrome';
  return /Safari\//.test(agent) ? 'safari' : 'other';
}

/** @param {string} agent @param {'android' | 'ios' | 'computer'} system */
function appOf(agent, system) {
  const known = APPS.find(([pattern]) => pattern.test(agent));
  if (known) return known[1];
  const webView = /; wv\)/.test(agent) || (system === 'ios' && !/Safari\//.test(agent));
  return webView ? 'other' : '';
}

/** This one. */
export function browser() {
  return recognise(navigator.userAgent, navigator.maxTouchPoints);
}
