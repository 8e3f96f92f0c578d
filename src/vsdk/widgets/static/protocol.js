/**
 * The page's side of the signalling protocol `vsdk.v1` (docs/protocol.md): the messages, and what each one means.
 *
 * Pure: no socket, no clock, no media. `receive` takes a state and a message and returns the next state and a list
 * of things to do. `visit.js` does them.
 *
 * @typedef {'patient' | 'practitioner' | 'companion' | 'interpreter' | 'staff'} Role
 * @typedef {'good' | 'fair' | 'bad'} Grade
 * @typedef {{ camera: Grade, microphone: Grade, connection: Grade, speaker?: Grade | null, problems?: string[] }} CheckResult
 * @typedef {'audio-session' | 'os-mute' | 'hidden' | 'ended' | 'device-lost'} InterruptionCause
 * @typedef {'audio' | 'video'} Kind
 * @typedef {{ cause: InterruptionCause, kinds: Kind[], since: string }} Interrupted  an interruption that goes on
 *
 * From the browser:
 * @typedef {{ type: 'hello', grant: string, seat: string }} Hello
 * @typedef {{ type: 'check' } & CheckResult} Check
 * @typedef {{ type: 'admit', participant: string, visit?: string }} Admit
 * @typedef {{ type: 'offer' | 'answer', to: string, epoch: number, sdp: string }} SendDescription
 * @typedef {{ type: 'ice', to: string, epoch: number, candidate: RTCIceCandidateInit | null }} SendCandidate
 * @typedef {{ type: 'interruption', state: 'begin' | 'end', cause: InterruptionCause, kinds: Kind[] }} Interruption
 * @typedef {{ type: 'connected' } | { type: 'lost' } | { type: 'bye' } | { type: 'ping' }} Signal
 * @typedef {{ type: 'close', visit: string }} Close
 * @typedef {{ type: 'invite', visit: string, participant: string }} Invite
 * @typedef {{ type: 'chat-key', key: string } | { type: 'chat', to: string, box: string }} SendChat
 * @typedef {Hello | Check | Admit | SendDescription | SendCandidate | Interruption | Signal | Close
 *   | Invite | SendChat} BrowserMessage
 *
 * From the server:
 * @typedef {{ participant: string, role: Role, name: string, capabilities: string[] }} You
 * @typedef {{ id: string, state: string, start: string, end: string, practice: string, practitioner: string }} VisitInfo
 * @typedef {{ participant: string, seat: string, role: Role, name: string, polite: boolean,
 *   interruption?: Interrupted | null }} PeerInfo
 * @typedef {{ participant: string, name: string, role: Role, present: boolean, waiting: boolean, since: string | null,
 *   check: CheckResult | null, interruption?: Interrupted | null, phone?: string }} Person
 * @typedef {{ visit: string, start: string, end: string, state: string, waiting_since: string | null,
 *   people: Person[], come_back_until: string | null, not_written_back?: string | null, delay_minutes?: number,
 *   messages?: MessageSummary | null, cancellation_asked?: boolean }} Entry
 * @typedef {{ total: number, latest: { template: string, state: string, at: string } | null,
 *   problem: string | null }} MessageSummary
 * @typedef {{ type: 'welcome', you: You, visit: VisitInfo | null, ice_servers: RTCIceServer[] }} Welcome
 * @typedef {{ type: 'grant', grant: string, expires: string }} FreshGrant
 * @typedef {{ type: 'queue', entries: Entry[], given_up?: number }} Queue
 * @typedef {{ type: 'waiting', since: string, start: string, practitioner: string, delay_minutes?: number }} Waiting
 * @typedef {{ type: 'admitted', peers: PeerInfo[], ice_servers: RTCIceServer[] }} Admitted
 * @typedef {{ type: 'offer' | 'answer', from: string, epoch: number, sdp: string }} Description
 * @typedef {{ type: 'ice', from: string, epoch: number, candidate: RTCIceCandidateInit | null }} Candidate
 * @typedef {{ participant: string, role: Role, name: string, key: string }} ChatPeer  somebody to whom one can write
 * @typedef {{ type: 'chat-peers', peers: ChatPeer[] }} ChatPeers
 * @typedef {{ type: 'chat', from: string, box: string }} ChatBox
 * @typedef {{ type: 'lost' | 'bye', from: string }} PeerLeft
 * @typedef {{ type: 'ended', by: string, come_back_until: string | null }} Ended
 * @typedef {{ type: 'cancelled' } | { type: 'pong' }} Plain
 * @typedef {{ type: 'error', code: string, detail: string, ref?: string | null }} Failure
 * @typedef {Welcome | FreshGrant | Queue | Waiting | Admitted | Description | Candidate | PeerLeft | Ended | Plain
 *   | ChatPeers | ChatBox
 *   | Failure} ServerMessage
 *
 * What `receive` works on:
 * @typedef {'connecting' | 'waiting' | 'admitted' | 'ended' | 'cancelled' | 'refused'} Phase
 * @typedef {PeerInfo & { epoch: number, lost: boolean }} Peer  `epoch` 0: polite, and no offer has come yet
 * @typedef {object} State
 * @property {Phase} phase
 * @property {You | null} you
 * @property {VisitInfo | null} visit
 * @property {Waiting | null} waiting
 * @property {Entry | null} entry  this visit as the practice sees it; null for those who may not admit
 * @property {RTCIceServer[]} iceServers
 * @property {Record<string, Peer>} peers  by participant
 * @property {boolean} returning  welcomed again in a visit, and not yet told who is in it
 * @property {Ended | null} ended
 * @property {string | null} refusal  the error code that goes with the phase `refused`
 *
 * Things to do. `connect`: an RTCPeerConnection to this peer is wanted, for this epoch; the impolite side offers.
 * `report`: signalling is back, say `connected` again for what stands, and send again what got lost.
 * @typedef {{ do: 'connect', participant: string, polite: boolean, epoch: number }} Connect
 * @typedef {{ do: 'drop', participant: string }} Drop
 * @typedef {{ do: 'description', participant: string, kind: 'offer' | 'answer', sdp: string, epoch: number }} Describe
 * @typedef {{ do: 'candidate', participant: string, candidate: RTCIceCandidateInit | null }} AddCandidate
 * @typedef {{ do: 'report' }} Report
 * @typedef {{ do: 'error', code: string, ref: string | null }} ShowError
 * @typedef {Connect | Drop | Describe | AddCandidate | Report | ShowError} Action
 * @typedef {{ state: State, actions: Action[] }} Step
 */

/** @type {State} */
export const START = Object.freeze({
  phase: /** @type {Phase} */ ('connecting'),
  you: null,
  visit: null,
  waiting: null,
  entry: null,
  iceServers: [],
  peers: {},
  returning: false,
  ended: null,
  refusal: null,
});

/**
 * What a message from the server changes. A type that is not known changes nothing.
 * @param {State} state
 * @param {ServerMessage} message
 * @returns {Step}
 */
export function receive(state, message) {
  switch (message.type) {
    case 'welcome':
      return {
        state: {
          ...state,
          you: message.you,
          visit: message.visit,
          iceServers: message.ice_servers,
          returning: state.phase === 'admitted',
        },
        actions: [],
      };
    case 'waiting':
      return leave({ ...state, phase: 'waiting', waiting: message });
    case 'queue':
      return {
        state: {
          ...state,
          phase: state.phase === 'connecting' ? 'waiting' : state.phase,
          entry: message.entries.find((entry) => entry.visit === state.visit?.id) ?? null,
        },
        actions: [],
      };
    case 'admitted':
      return admitted(state, message);
    case 'offer':
    case 'answer':
      return description(state, message);
    case 'ice':
      return state.peers[message.from]?.epoch === message.epoch
        ? {
            state,
            actions: [{ do: 'candidate', participant: message.from, candidate: message.candidate }],
          }
        : { state, actions: [] };
    case 'lost':
      return { state: mark(state, message.from, { lost: true }), actions: [] };
    case 'bye':
      return without(state, message.from);
    case 'ended':
      return leave({ ...state, phase: 'ended', ended: message });
    case 'cancelled':
      return leave({ ...state, phase: 'cancelled' });
    case 'error':
      if (message.code === 'taken-over') return refused(state, message.code);
      return { state, actions: [{ do: 'error', code: message.code, ref: message.ref ?? null }] };
    default:
      return { state, actions: [] };
  }
}

/**
 * The server will not have this page back (close codes 4400, 4403, 4409, or a join link that no longer opens).
 * @param {State} state
 * @param {string} code  a code of docs/errors.md
 * @returns {Step}
 */
export function refused(state, code) {
  if (state.phase === 'ended' || state.phase === 'cancelled' || state.phase === 'refused') {
    return { state, actions: [] };
  }
  return leave({ ...state, phase: 'refused', refusal: code });
}

/**
 * The impolite side starts the connection to a peer anew: same pair of seats, next epoch.
 * @param {State} state
 * @param {string} participant
 * @returns {Step}
 */
export function rebuild(state, participant) {
  const peer = state.peers[participant];
  if (!peer || peer.polite) return { state, actions: [] };
  const epoch = peer.epoch + 1;
  return {
    state: mark(state, participant, { epoch }),
    actions: [
      { do: 'drop', participant },
      { do: 'connect', participant, polite: false, epoch },
    ],
  };
}

/**
 * A peer who is not named is kept until `bye`: a server that was started anew learns one by one who is there, while
 * media goes on.
 * @param {State} state
 * @param {Admitted} message
 * @returns {Step}
 */
function admitted(state, message) {
  const peers = { ...state.peers };
  /** @type {Action[]} */
  const actions = [];
  for (const info of message.peers) {
    const known = state.peers[info.participant];
    if (known?.seat === info.seat) {
      peers[info.participant] = { ...known, ...info, lost: false };
      continue;
    }
    if (known) actions.push({ do: 'drop', participant: info.participant });
    const epoch = info.polite ? 0 : 1;
    peers[info.participant] = { ...info, epoch, lost: false };
    actions.push({ do: 'connect', participant: info.participant, polite: info.polite, epoch });
  }
  if (state.returning) actions.push({ do: 'report' });
  const { ice_servers: iceServers } = message;
  return {
    state: { ...state, phase: 'admitted', waiting: null, ended: null, returning: false, peers, iceServers },
    actions,
  };
}

/**
 * @param {State} state
 * @param {Description} message
 * @returns {Step}
 */
function description(state, message) {
  const peer = state.peers[message.from];
  const participant = message.from;
  if (!peer || message.epoch < peer.epoch) return { state, actions: [] };
  /** @type {Action[]} */
  const actions = [];
  if (message.epoch > peer.epoch) {
    if (!peer.polite || message.type !== 'offer') return { state, actions: [] };
    if (peer.epoch > 0) {
      actions.push(
        { do: 'drop', participant },
        { do: 'connect', participant, polite: true, epoch: message.epoch },
      );
    }
  }
  actions.push({ do: 'description', participant, kind: message.type, sdp: message.sdp, epoch: message.epoch });
  return { state: mark(state, participant, { epoch: message.epoch, lost: false }), actions };
}

/**
 * @param {State} state
 * @param {string} participant
 * @param {Partial<Peer>} change
 */
function mark(state, participant, change) {
  const peer = state.peers[participant];
  if (!peer) return state;
  return { ...state, peers: { ...state.peers, [participant]: { ...peer, ...change } } };
}

/**
 * @param {State} state
 * @param {string} participant
 * @returns {Step}
 */
function without(state, participant) {
  if (!state.peers[participant]) return { state, actions: [] };
  const { [participant]: gone, ...peers } = state.peers;
  return { state: { ...state, peers }, actions: [{ do: 'drop', participant: gone.participant }] };
}

/**
 * Out of the visit: every connection goes.
 * @param {State} state
 * @returns {Step}
 */
function leave(state) {
  const actions = Object.keys(state.peers).map((participant) => /** @type {Action} */ ({ do: 'drop', participant }));
  return { state: { ...state, peers: {}, returning: false }, actions };
}
