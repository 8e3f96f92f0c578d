import assert from 'node:assert/strict';
import { test } from 'node:test';

import { recognise } from '../../../src/vsdk/widgets/static/browser.js';

const KIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const IPHONE = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${KIT}`;
const PIXEL = 'Mozilla/5.0 (Linux; Android 10; K)';
const GALAXY = 'Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv)';

/** What browsers call themselves: user agent, family, system, app. */
const AGENTS = [
  [`${PIXEL} ${BLINK} Chrome/140.0.0.0 Mobile Safari/537.36`, 'chrome', 'android', ''],
  [`${PIXEL} ${BLINK} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`, 'chrome', 'android', ''],
  [`${PIXEL} ${BLINK} Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0`, 'chrome', 'android', ''],
  [`${PIXEL} ${BLINK} Chrome/138.0.0.0 Mobile Safari/537.36 OPR/91.0.0.0`, 'chrome', 'android', ''],
  ['Mozilla/5.0 (Android 14; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0', 'firefox', 'android', ''],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/139.0.7258.94 Mobile Safari/537.36`, 'chrome', 'android', 'other'],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/139.0.7258.94 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/520.0.0.0;]`, 'chrome', 'android', 'Facebook'],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/139.0.7258.94 Mobile Safari/537.36 Instagram 390.0.0.0 Android`, 'chrome', 'android', 'Instagram'],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/139.0.7258.94 Mobile Safari/537.36 Snapchat/13.40`, 'chrome', 'android', 'Snapchat'],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/139.0.7258.94 Mobile Safari/537.36 BytedanceWebview/d8a21c6`, 'chrome', 'android', 'TikTok'],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.50`, 'chrome', 'android', 'WeChat'],
  [`${GALAXY} ${BLINK} Version/4.0 Chrome/139.0 Mobile Safari/537.36 GSA/15.30`, 'chrome', 'android', 'Google'],
  [`${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`, 'safari', 'ios', ''],
  [`${IPHONE} CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1`, 'safari', 'ios', ''],
  [`${IPHONE} FxiOS/142.0 Mobile/15E148 Safari/605.1.15`, 'firefox', 'ios', ''],
  [`${IPHONE} EdgiOS/139.0 Version/18.0 Mobile/15E148 Safari/604.1`, 'safari', 'ios', ''],
  [`${IPHONE} Mobile/15E148`, 'safari', 'ios', 'other'],
  [`${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/522.0.0;FBDV/iPhone15,2]`, 'safari', 'ios', 'Facebook'],
  [`${IPHONE} Mobile/15E148 Instagram 391.0.0 (iPhone15,2; iOS 18_5)`, 'safari', 'ios', 'Instagram'],
  [`${IPHONE} Mobile/15E148 [LinkedInApp]/9.31`, 'safari', 'ios', 'LinkedIn'],
  [`${IPHONE} Mobile/15E148 Safari Line/15.10.1`, 'safari', 'ios', 'Line'],
  [`${IPHONE} GSA/378.0 Mobile/15E148 Safari/604.1`, 'safari', 'ios', 'Google'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Chrome/140.0.0.0 Safari/537.36`, 'chrome', 'computer', ''],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`, 'chrome', 'computer', ''],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0', 'firefox', 'computer', ''],
  [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} Version/18.5 Safari/605.1.15`, 'safari', 'computer', ''],
  [`Mozilla/5.0 (X11; Linux x86_64) ${BLINK} HeadlessChrome/140.0.0.0 Safari/537.36`, 'chrome', 'computer', ''],
  ['Something/1.0', 'other', 'computer', ''],
];

for (const [agent, family, system, app] of AGENTS) {
  test(`${family} on ${system}${app ? ` in ${app}` : ''}: ${agent.slice(-40)}`, () => {
    assert.deepEqual(recognise(agent), { family, system, app });
  });
}

test('an iPad calls itself a Mac, and has a touch screen', () => {
  const agent = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${KIT} Version/18.5 Safari/605.1.15`;
  assert.equal(recognise(agent, 5).system, 'ios');
});
