// Two bare RTCPeerConnections in one page, with everything ready before the clock starts: cameras, certificates,
// tracks. Gives milliseconds since the call of createOffer, under the names of bench/recorder.js. `wait`: milliseconds before
// that; `shared`: both sides send one camera; `hold`: the connections stay. `loaded`: both pictures, since the page began to load.
async ({ height, wait = 1000, shared = false, hold = false }) => {
  let camera;
  const constraints = {
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' },
  };
  const times = {};
  const note = (what) => (times[what] ??= performance.now());
  const side = async (who) => {
    camera = (shared && camera) || navigator.mediaDevices.getUserMedia(constraints);
    const stream = await camera;
    const certificates = [await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' })];
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', certificates });
    const lens = stream.getVideoTracks()[0];
    pc.addTrack(stream.getAudioTracks()[0], stream);
    const sender = pc.addTrack(lens, stream);
    if (height) {
      const parameters = sender.getParameters();
      parameters.encodings[0].scaleResolutionDownBy = Math.max(1, lens.getSettings().height / height);
      await sender.setParameters(parameters);
    }
    const video = document.createElement('video');
    video.autoplay = video.playsInline = true;
    document.body.append(video);
    pc.onconnectionstatechange = () => note(`${who} ${pc.connectionState}`);
    const picture = new Promise((resolve) => {
      pc.ontrack = ({ track, streams }) => {
        if (track.kind !== 'video') return;
        video.srcObject = streams[0];
        video.requestVideoFrameCallback(() => resolve(note(`${who} frame`)));
      };
    });
    return { pc, picture };
  };
  const [a, b] = [await side('practice'), await side('patient')];
  a.pc.onicecandidate = ({ candidate }) => candidate && b.pc.addIceCandidate(candidate);
  b.pc.onicecandidate = ({ candidate }) => candidate && a.pc.addIceCandidate(candidate);
  await new Promise((resolve) => setTimeout(resolve, wait));
  const start = performance.now();
  const offer = await a.pc.createOffer();
  note('practice sent offer');
  // The offer goes over before it is set here, so that no candidate can overtake it.
  await Promise.all([b.pc.setRemoteDescription(offer), a.pc.setLocalDescription(offer)]);
  await b.pc.setLocalDescription(await b.pc.createAnswer());
  note('patient sent answer');
  await a.pc.setRemoteDescription(b.pc.localDescription);
  await Promise.all([a.picture, b.picture]);
  const loaded = performance.now();
  if (hold) window.held = [a, b];
  else for (const { pc } of [a, b]) pc.close();
  return { ...Object.fromEntries(Object.entries(times).map(([what, when]) => [what, when - start])), loaded };
}
