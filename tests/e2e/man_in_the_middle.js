// A man in the middle, as a server that lies about descriptions could be one: he has a connection of his own to each
// side, with certificates of his own, and passes sound, picture and messages on.
(() => {
  const Socket = window.WebSocket;
  const Peer = window.RTCPeerConnection;
  const middle = { practice: null, patient: null };
  window.middle = middle;

  const join = (one, other) => {
    const waiting = [];
    one.onmessage = ({ data }) => (other.readyState === 'open' ? other.send(data) : waiting.push(data));
    other.addEventListener('open', () => waiting.splice(0).forEach((data) => other.send(data)));
  };

  async function offered(socket, message) {
    const { practice, patient } = Object.assign(middle, { practice: new Peer(), patient: new Peer() });
    const channel = (peer) => peer.createDataChannel('ctl', { negotiated: true, id: 0 });
    await practice.setRemoteDescription({ type: 'offer', sdp: message.sdp });
    const [audio, video] = practice.getTransceivers();
    for (const transceiver of [audio, video]) {
      transceiver.direction = 'sendrecv';
      patient.addTransceiver(transceiver.receiver.track, { direction: 'sendrecv' });
    }
    patient.addTransceiver('video', { direction: 'inactive' });
    const [towardsPractice, towardsPatient] = [channel(practice), channel(patient)];
    join(towardsPractice, towardsPatient);
    join(towardsPatient, towardsPractice);
    const [heard, seen] = patient.getTransceivers();
    await audio.sender.replaceTrack(heard.receiver.track);
    await video.sender.replaceTrack(seen.receiver.track);
    practice.onicecandidate = ({ candidate }) => socket.honestly({ type: 'ice', to: message.from, epoch: 1, candidate });
    patient.onicecandidate = ({ candidate }) => socket.deliver({ type: 'ice', from: message.from, epoch: 1, candidate });
    await practice.setLocalDescription();
    socket.honestly({ type: 'answer', to: message.from, epoch: message.epoch, sdp: practice.localDescription.sdp });
    await patient.setLocalDescription();
    socket.deliver({ type: 'offer', from: message.from, epoch: message.epoch, sdp: patient.localDescription.sdp });
  }

  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', (event) => {
        const message = event.forged ? {} : JSON.parse(event.data);
        if (message.type !== 'offer' && message.type !== 'ice') return;
        event.stopImmediatePropagation();
        if (message.type === 'offer') void offered(this, message);
        else void middle.practice?.addIceCandidate(message.candidate ?? undefined).catch(() => {});
      });
    }
    honestly(message) { super.send(JSON.stringify(message)); }
    deliver(message) {
      const event = new MessageEvent('message', { data: JSON.stringify(message) });
      event.forged = true;
      this.dispatchEvent(event);
    }
    send(text) {
      const message = JSON.parse(text);
      if (message.type === 'answer') void middle.patient.setRemoteDescription({ type: 'answer', sdp: message.sdp });
      else if (message.type === 'ice') void middle.patient.addIceCandidate(message.candidate ?? undefined).catch(() => {});
      else super.send(text);
    }
  };
})();
