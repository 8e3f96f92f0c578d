// Two bare RTCPeerConnections in one page, with everything ready before the clock starts: cameras, certificates,
// tracks. Gives milliseconds since the call of createOffer, under the names of bench/recorder.js.
async ({ height }) => {
  const constraints = {
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: 'user' },
  };
  const times = {};
  const note = (what) => (times[what] ??= performance.now());
  const side = async (who) => {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    const certificates = [await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' })];
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', certificates });
    const camera = stream.getVideoTracks()[0];
    pc.addTrack(stream.getAudioTracks()[0], stream);
    const sender = pc.addTrack(camera, stream);
    if (height) {
      const parameters = sender.getParameters();
      parameters.encodings[0].scaleResolutionDownBy = Math.max(1, camera.getSettings().height / height);
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
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const start = performance.now();
  const offer = await a.pc.createOffer();
  note('practice sent offer');
  // The offer goes over before it is set here, so that no candidate can overtake it.
  await Promise.all([b.pc.setRemoteDescription(offer), a.pc.setLocalDescription(offer)]);
  await b.pc.setLocalDescription(await b.pc.createAnswer());
  note('patient sent answer');
  await a.pc.setRemoteDescription(b.pc.localDescription);
  await Promise.all([a.picture, b.picture]);
  a.pc.close();
  b.pc.close();
  return Object.fromEntries(Object.entries(times).map(([what, when]) => [what, when - start]));
}
