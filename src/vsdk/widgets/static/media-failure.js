/**
 * Why camera and microphone cannot be had; each reason has its own help, `media.failure.<reason>`.
 *
 * @typedef {'refused' | 'dismissed' | 'no-device' | 'busy' | 'insecure' | 'unsupported' | 'embedding-forbids'} FailureReason
 */

export class MediaFailure extends Error {
  /** @param {FailureReason} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Why a browser cannot do a video visit at all, before anything is asked; null when it can.
 * @returns {'insecure' | 'unsupported' | null}
 */
export function unsupported() {
  if (!globalThis.isSecureContext) return 'insecure';
  return 'RTCPeerConnection' in globalThis && navigator.mediaDevices ? null : 'unsupported';
}

/**
 * Whether the page around ours keeps camera or microphone from us.
 * @param {'camera' | 'microphone'} feature
 */
export function embeddingForbids(feature) {
  const { featurePolicy, permissionsPolicy } = /** @type {any} */ (document);
  return (permissionsPolicy ?? featurePolicy)?.allowsFeature(feature) === false;
}

/**
 * What a failed getUserMedia means.
 * @param {unknown} error
 * @returns {FailureReason}
 */
export function reasonOf(error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  switch (name) {
    case 'NotAllowedError':
      return /dismiss/i.test(message) ? 'dismissed' : 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no-device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    case 'SecurityError':
      return 'refused';
    default:
      return 'unsupported';
  }
}
