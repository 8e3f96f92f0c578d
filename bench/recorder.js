// Runs before a page's own scripts. Notes when each thing happened for the first time, in milliseconds since 1970:
// two pages of one machine share that clock. Changes nothing that the page does.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const times = (window.times = {});
  const note = (what, when = now()) => (times[what] ??= when);
  const type = (text) => /"type"\s*:\s*"([a-z]+)"/.exec(text)?.[1];

  addEventListener('vsdk-checked', () => note('graded'), true);
  addEventListener('click', (event) => note('click', performance.timeOrigin + event.timeStamp), true);

  const NativeSocket = window.WebSocket;
  window.WebSocket = class extends NativeSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => note(`got ${type(data)}`));
    }
    send(text) {
      note(`sent ${type(text)}`);
      super.send(text);
    }
  };

  const NativePeer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends NativePeer {
    constructor(...args) {
      super(...args);
      this.addEventListener('connectionstatechange', () => note(this.connectionState));
    }
  };

  const media = navigator.mediaDevices;
  const getUserMedia = media?.getUserMedia.bind(media);
  if (media) {
    media.getUserMedia = async (wanted) => {
      const stream = await getUserMedia(wanted);
      note('camera');
      return stream;
    };
  }

  // The first picture that is shown of the remote side, and of oneself (HTMLVideoElement.requestVideoFrameCallback).
  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...source,
    set(stream) {
      source.set.call(this, stream);
      const what = { remote: 'frame', self: 'picture' }[this.getAttribute('part') ?? ''];
      if (stream && what) this.requestVideoFrameCallback(() => note(what));
    },
  });
})();
