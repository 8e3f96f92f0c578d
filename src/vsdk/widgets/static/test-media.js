/** Sound and pictures that a page makes itself, for measuring a connection and for the loudspeaker test. */

import { playNotes } from './notes.js';

/** @typedef {{ track: MediaStreamTrack, stop: () => void }} TestTrack */

/** A quiet tone as a track. @returns {TestTrack} */
export function tone() {
  const context = new AudioContext();
  const destination = context.createMediaStreamDestination();
  const source = context.createOscillator();
  const volume = context.createGain();
  volume.gain.value = 0.2;
  source.connect(volume).connect(destination);
  source.start();
  void context.resume();
  const [track] = destination.stream.getAudioTracks();
  return {
    track: /** @type {MediaStreamTrack} */ (track),
    stop() {
      track?.stop();
      void context.close();
    },
  };
}

/** A picture that cannot be compressed well, so that a sender fills the line: 640 × 360, 20 a second. @returns {TestTrack} */
export function noise() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const image = /** @type {ImageData} */ (pen?.createImageData(160, 90));
  const tile = Object.assign(document.createElement('canvas'), { width: 160, height: 90 });
  const draw = () => {
    crypto.getRandomValues(image.data.subarray(0, 57_600));
    for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
    tile.getContext('2d')?.putImageData(image, 0, 0);
    pen?.drawImage(tile, 0, 0, 640, 360);
  };
  draw();
  const timer = setInterval(draw, 50);
  const [track] = canvas.captureStream(20).getVideoTracks();
  return {
    track: /** @type {MediaStreamTrack} */ (track),
    stop() {
      clearInterval(timer);
      track?.stop();
    },
  };
}

/** Three soft notes on the loudspeaker. Resolves when they have been played. */
export const chime = () => playNotes([523, 659, 784], 0.25, 0.3);
