/**
 * What someone chose on this device, kept in their browser: which camera, microphone and loudspeaker, and how they see
 * themselves. Storage may be forbidden (in frames): then it lasts as long as the page.
 *
 * @typedef {'camera' | 'microphone' | 'speaker'} Device
 * @typedef {object} Preferences
 * @property {string} camera  a `deviceId`, or empty: whatever the browser takes
 * @property {string} microphone
 * @property {string} speaker
 * @property {boolean} self  one's own picture is shown
 * @property {boolean} mirror  as in a mirror
 * @property {boolean} blur  the background, where the browser can
 */

const KEY = 'vsdk-preferences';

/** @type {Preferences} */
const USUAL = { camera: '', microphone: '', speaker: '', self: true, mirror: true, blur: false };

/** @type {Preferences} */
let now = { ...USUAL, ...kept() };

/** @returns {Partial<Preferences>} only what has the right form */
function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const fits = Object.entries(found).filter(([name, value]) => typeof value === typeof USUAL[/** @type {keyof Preferences} */ (name)]);
    return Object.fromEntries(fits);
  } catch {
    return {};
  }
}

/** @returns {Readonly<Preferences>} */
export function preferences() {
  return now;
}

/** @param {Partial<Preferences>} chosen */
export function prefer(chosen) {
  now = { ...now, ...chosen };
  try {
    localStorage.setItem(KEY, JSON.stringify(now));
  } catch {
    // forbidden: it lasts as long as the page
  }
}

/**
 * The devices that there are, by kind. Browsers tell names only while a camera or microphone is open.
 * @returns {Promise<Record<Device, { id: string, name: string }[]>>}
 */
export async function devices() {
  const found = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  /** @param {MediaDeviceKind} kind */
  const of = (kind) => found.filter((device) => device.kind === kind && device.deviceId).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
  const speakers = 'setSinkId' in HTMLMediaElement.prototype ? of('audiooutput') : [];
  return { camera: of('videoinput'), microphone: of('audioinput'), speaker: speakers };
}
