/**
 * A visit connection: carries out what `protocol.js` decides, on the signalling and on the direct connections.
 *
 * @import { Action, CheckResult, PeerInfo, ServerMessage, State, Step } from './protocol.js'
 * @import { Cause } from './interruption.js'
 * @import { Control, Switches, Tracks } from './peer.js'
 * @import { SignallingState } from './signalling.js'
 *
 * @typedef {'phase' | 'peers' | 'queue' | 'waiting' | 'signalling' | 'ready' | 'chat'} Change
 *   `ready`: the server has said welcome, at first or again
 * @typedef {object} Options
 * @property {string} url  the WebSocket address
 * @property {string} grant
 * @property {() => Promise<string>} renew
 * @property {(change: Change) => void} onChange
 * @property {(code: string) => void} onError  something that was sent was refused
 * @property {(participant: string, message: Control) => void} onControl
 */

import { Chat } from './chat.js';
import { Peer, certificate } from './peer.js';
import { START, rebuild, receive, refused } from './protocol.js';
import { Report } from './report.js';
import { Signalling, newSeat } from './signalling.js';

/** A connection that was made in advance is used within this time; its relay credentials live longer. */
const SPARE_LIVES = 10 * 60_000;

/** @type {Record<number, string>} what a close code says when no error message came before */
const REFUSALS = { 4400: 'bad-message', 4401: 'grant-invalid', 4403: 'visit-closed', 4409: 'taken-over' };

const seat = newSeat();

export class VisitConnection {
  /** @type {State} */
  state = START;
  /** @type {SignallingState} */
  signallingState = 'connecting';
  /** @type {Map<string, Peer>} */
  peers = new Map();
  report = new Report();
  /** @type {Chat | null} from the first welcome to the end */
  chat = null;
  #options;
  #signalling;
  /** @type {Tracks} */ #tracks = { audio: null, video: null };
  /** @type {Switches} */ #switches = { microphone: true, camera: true };
  /** @type {MediaStreamTrack | null} */ #screen = null;
  /** @type {Peer | null} */ #spare = null;
  /** @type {RTCCertificate | null} */ #certificate = null;
  /** @type {Promise<void>} */ #work;
  /** @type {{ cause: Cause | null, since: string | null, last: Cause | null }} */
  #interruption = { cause: null, since: null, last: null };
  #reported = false;
  #noted = '';
  /** @type {Map<string, boolean>} whether the digits were the same, by the other side's certificate: one's own stays */ #compared = new Map();
  /** @type {WeakMap<Peer, string>} the keys for the chat, as the others say directly */ #chatKeys = new WeakMap();
  /** @type {WeakSet<Peer>} who was told ours */ #toldKey = new WeakSet();
  #online = () => this.restart();

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#work = certificate().then((made) => {
      this.#certificate = made;
      this.#prepare();
    });
    this.#signalling = new Signalling({
      url: options.url,
      grant: () => options.grant,
      seat,
      renew: options.renew,
      onMessage: (message) => this.#receive(message),
      onState: (state, code) => this.#signallingChanged(state, code),
    });
    globalThis.addEventListener?.('online', this.#online);
    network()?.addEventListener('change', this.#online);
  }

  /** Send these tracks, and say what is switched on. @param {Tracks} tracks @param {Switches} switches */
  setMedia(tracks, switches) {
    this.#tracks = tracks;
    this.#switches = switches;
    for (const peer of [...this.peers.values(), this.#spare]) {
      peer?.setTracks(tracks);
      peer?.setSwitches(switches);
    }
  }

  /** Share this screen with all, or none any more. @param {MediaStreamTrack | null} screen */
  setScreen(screen) {
    this.#screen = screen;
    for (const peer of this.peers.values()) peer.setScreen(screen);
  }

  /** Tell the others that sound or picture stop, or are back. @param {Cause | null} cause */
  setInterruption(cause) {
    if (JSON.stringify(cause) === JSON.stringify(this.#interruption.cause)) return;
    const begun = cause ? (this.#interruption.since ?? new Date().toISOString()) : null;
    this.#interruption = { cause, since: begun, last: cause ?? this.#interruption.last };
    for (const peer of this.peers.values()) peer.setInterruption(cause && { ...cause, since: begun ?? '' });
    this.#reportInterruption();
  }

  #reportInterruption() {
    const { cause, last } = this.#interruption;
    if (last && this.state.phase === 'admitted') {
      this.#signalling.send({ type: 'interruption', state: cause ? 'begin' : 'end', ...last });
    }
  }

  /** Ask someone back who is away from a visit that goes on. @param {string} participant */
  inviteBack(participant) {
    const visit = this.state.visit?.id;
    if (visit) this.#signalling.send({ type: 'invite', visit, participant });
  }

  /** Let someone in who waits. @param {string} participant */
  admit(participant) {
    this.#signalling.send({ type: 'admit', participant });
  }

  /** Tell the practice how the device check went. @param {CheckResult} result */
  check(result) {
    this.#signalling.send({ type: 'check', ...result });
  }

  /** The red button, or leaving the waiting room. */
  hangUp() {
    // Who only leaves the waiting room may come back to what was written there.
    if (this.state.phase !== 'admitted') this.chat?.close();
    this.#signalling.send({ type: 'bye' });
    const by = this.state.you?.role ?? 'patient';
    this.#take(receive(this.state, { type: 'ended', by, come_back_until: null }));
  }

  /** The digits of this peer were compared. @param {string} participant @param {boolean} same */
  compared(participant, same) {
    const ends = this.peers.get(participant)?.ends;
    if (!ends) return;
    this.#compared.set(ends.theirs, same);
    this.#options.onChange('peers');
  }

  /**
   * What is known about who is at the other end. What was compared holds as long as the certificates are the same, also
   * for a connection that was built anew. A key for the chat that is another one by signalling than directly says the same
   * as other digits.
   * @param {string} participant
   * @returns {'none' | 'open' | 'same' | 'different'}  `none`: there are no digits to compare
   */
  trust(participant) {
    const peer = this.peers.get(participant);
    const same = peer?.ends && this.#compared.get(peer.ends.theirs);
    const chatKey = this.chat?.peers.get(participant)?.key;
    const direct = peer && this.#chatKeys.get(peer);
    const otherKey = Boolean(chatKey && direct && chatKey !== direct);
    if (peer?.sas?.broken || same === false || otherKey) return 'different';
    if (same) return 'same';
    return peer?.sas?.code ? 'open' : 'none';
  }

  /** Look for new paths to all peers. */
  restart() {
    this.report.note('restart');
    for (const peer of this.peers.values()) peer.restart(this.state.iceServers);
  }

  /** Send on `ctl` to all peers. @param {Control} message */
  tell(message) {
    for (const peer of this.peers.values()) peer.tell(message);
  }

  /** The page has no more use for it; the place is held by the server for a while. */
  close() {
    globalThis.removeEventListener?.('online', this.#online);
    network()?.removeEventListener('change', this.#online);
    this.#signalling.close();
    this.chat?.close();
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
    this.#discardSpare();
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'chat' || message.type === 'chat-peers') return this.chat?.receive(message);
    const ready = message.type === 'welcome';
    const change = message.type === 'queue' || message.type === 'waiting' ? message.type : undefined;
    this.#take(receive(this.state, message), change);
    if (!ready) return;
    this.#prepare();
    this.#openChat();
    this.#options.onChange('ready');
  }

  #openChat() {
    const { you, visit } = this.state;
    if (!you?.capabilities.includes('talk') || !visit) return;
    if (!this.chat) {
      this.chat = new Chat(visit.id, you, (message) => this.#signalling.send(message));
      this.chat.addEventListener('change', () => this.#options.onChange('chat'));
    }
    void this.chat.announce();
  }

  /** Say our key for the chat directly too: what the digits vouch for is this connection. */
  #confirmChatKey() {
    for (const peer of this.peers.values()) {
      if (this.#toldKey.has(peer) || !this.chat?.key) continue;
      if (peer.tell({ t: 'chat-key', key: this.chat.key })) this.#toldKey.add(peer);
    }
  }

  /** @param {Step} step @param {Change} [change] */
  #take({ state, actions }, change) {
    const before = this.state;
    this.state = state;
    // In order, and not before the certificate is there; once it is, nothing waits.
    if (this.#certificate) for (const action of actions) this.#do(action);
    else if (actions.length) void this.#work.then(() => actions.forEach((action) => this.#do(action)));
    if (state.phase !== before.phase || state.ended !== before.ended) {
      if (state.phase !== 'waiting' && state.phase !== 'connecting') this.#discardSpare();
      this.report.note(`phase ${state.phase}`);
      // Another tab of this browser goes on with what is kept.
      if (state.refusal === 'taken-over') this.chat?.close();
      else if (state.phase === 'ended' || state.phase === 'cancelled' || state.phase === 'refused') void this.chat?.end();
      if (this.#interruption.cause) this.#reportInterruption();
      this.#options.onChange('phase');
    }
    if (change) this.#options.onChange(change);
    if (state.peers === before.peers) return;
    for (const { participant, interruption } of Object.values(state.peers)) {
      const known = before.peers[participant]?.interruption;
      if (JSON.stringify(interruption ?? null) === JSON.stringify(known ?? null)) continue;
      this.peers.get(participant)?.interrupted(interruption ?? null);
    }
    this.#peersChanged();
  }

  /** @param {Action} action */
  #do(action) {
    switch (action.do) {
      case 'connect':
        this.#connect(action.participant, action.polite, action.epoch);
        break;
      case 'drop':
        this.peers.get(action.participant)?.close();
        this.peers.delete(action.participant);
        break;
      case 'description':
        this.#describe(action.participant, action.kind, action.sdp, action.epoch);
        break;
      case 'candidate':
        this.peers.get(action.participant)?.addCandidate(action.candidate).catch(trouble);
        break;
      case 'report':
        this.#reported = false;
        for (const peer of this.peers.values()) peer.recover();
        this.#reportInterruption();
        this.#peersChanged();
        break;
      case 'error':
        this.#options.onError(action.code);
        break;
    }
  }

  /** @param {string} participant @param {boolean} polite @param {number} epoch */
  #connect(participant, polite, epoch) {
    const peer = this.#takeSpare(polite) ?? this.#make(polite);
    this.peers.set(participant, peer);
    peer.attach(epoch, {
      send: (message) => this.#signalling.send({ ...message, to: participant }),
      reachable: () => this.#signalling.state === 'open',
      onChange: () => this.#peersChanged(),
      onRebuild: () => this.#take(rebuild(this.state, participant)),
      onControl: (message) => this.#told(participant, peer, message),
      visit: this.state.visit?.id ?? '',
      onStats: (stats) => {
        this.#confirmChatKey();
        this.report.hear(participant, stats);
      },
    });
    peer.setSwitches(this.#switches);
    if (this.#screen) peer.setScreen(this.#screen);
    const theirs = this.state.peers[participant]?.interruption;
    if (theirs) peer.interrupted(theirs);
    const { cause, since } = this.#interruption;
    peer.setInterruption(cause && { ...cause, since: since ?? '' });
  }

  /** @param {string} participant @param {Peer} peer @param {Control} message */
  #told(participant, peer, message) {
    if (message.t !== 'chat-key') return this.#options.onControl(participant, message);
    this.#chatKeys.set(peer, String(message.key));
    this.#options.onChange('peers');
  }

  /** @param {string} participant @param {'offer' | 'answer'} kind @param {string} sdp @param {number} epoch */
  #describe(participant, kind, sdp, epoch) {
    const known = this.peers.get(participant);
    if (!known) return;
    if (kind === 'offer' && known.polite && !known.continues(sdp)) {
      known.close();
      this.#connect(participant, true, epoch);
    }
    this.peers.get(participant)?.describe(kind, sdp, epoch).catch(trouble);
  }

  /** @param {boolean} polite */
  #make(polite) {
    const made = /** @type {RTCCertificate} */ (this.#certificate);
    return new Peer({ polite, iceServers: this.state.iceServers, certificate: made, tracks: this.#tracks });
  }

  /** Who lets others in offers first: have the offer ready by then. */
  #prepare() {
    const { you, phase } = this.state;
    if (!this.#certificate || !you || this.#spare || this.peers.size > 0 || phase === 'ended') return;
    this.#spare = this.#make(!you.capabilities.includes('admit'));
  }

  /** @param {boolean} polite */
  #takeSpare(polite) {
    const spare = this.#spare;
    if (!spare) return null;
    if (spare.polite !== polite || performance.now() - spare.born > SPARE_LIVES) {
      this.#discardSpare();
      return null;
    }
    this.#spare = null;
    return spare;
  }

  #discardSpare() {
    this.#spare?.close();
    this.#spare = null;
  }

  #peersChanged() {
    const qualities = [...this.peers.values()].map((peer) => peer.quality);
    const stands = qualities.includes('good');
    const broken = qualities.length > 0 && qualities.every((quality) => quality === 'lost');
    if (stands && !this.#reported) {
      this.#reported = true;
      this.#signalling.send({ type: 'connected' });
    } else if (broken && this.#reported) {
      this.#reported = false;
      this.#signalling.send({ type: 'lost' });
    }
    this.#noteQuality();
    this.#confirmChatKey();
    this.#options.onChange('peers');
  }

  #noteQuality() {
    const words = [...this.peers.values()].map(({ quality }) => quality).join(' ');
    if (words && words !== this.#noted) this.report.note(`line ${words}`);
    this.#noted = words;
  }

  /** @param {SignallingState} state @param {number} code */
  #signallingChanged(state, code) {
    this.signallingState = state;
    this.report.note(`signalling ${state}${code ? ` ${code}` : ''}`);
    if (state === 'closed' && REFUSALS[code]) this.#take(refused(this.state, REFUSALS[code]));
    this.#options.onChange('signalling');
  }
}

/** Network Information API, where a browser has it: tells of a change from Wi-Fi to mobile. @returns {EventTarget | undefined} */
function network() {
  return /** @type {any} */ (globalThis.navigator)?.connection;
}

/** A late message for a connection that has moved on; the repair of `peer.js` takes it from there. @param {unknown} error */
function trouble(error) {
  console.warn('vsdk: a description or address did not fit', error instanceof Error ? error.name : '');
}
