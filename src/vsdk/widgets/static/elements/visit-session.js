/**
 * A visit from the door of the waiting room to its end: the connection, and what is shown while it stands.
 *
 * @import { Media } from '../media.js'
 * @import { Control } from '../peer.js'
 * @import { CheckResult } from '../protocol.js'
 * @import { Child, VsdkElement } from '../ui/element.js'
 * @import { Change } from '../visit.js'
 * @import { WakeLock } from '../wake-lock.js'
 * @import { Preview } from '../api.js'
 *
 * @typedef {object} House  what the page around it does
 * @property {VsdkElement} element
 * @property {Media} media
 * @property {WakeLock} wakeLock
 * @property {Preview | null} preview
 * @property {string} url  the WebSocket address
 * @property {string} grant
 * @property {() => Promise<string>} renew
 * @property {(phase: string, ...nodes: Child[]) => void} step  show this step
 * @property {(end: { visit: string | undefined, left: boolean, until: string | null }) => void} ended  `left`: it was
 *   the waiting room that was left; `until`: how long one can come back
 * @property {() => void} anew  only a new start brings sound and picture back
 * @property {(code: string) => void} finish  there is no way back by itself, for that reason
 */

import { callIn } from '../attention.js';
import { Interruption } from '../interruption.js';
import { VisitConnection } from '../visit.js';
import { step } from './join-steps.js';
import { Lobby } from './lobby.js';
import { VisitStage } from './visit-stage.js';
import { WaitingRoom } from './waiting-room.js';

export class VisitSession {
  connection;
  #house;
  #interruption;
  /** @type {WaitingRoom | Lobby | VisitStage | null} */ #room = null;
  #left = false;
  #admit = '';
  #welcomed = () => {};

  /** @param {House} house */
  constructor(house) {
    this.#house = house;
    const { element, media } = house;
    this.#interruption = new Interruption(media);
    this.connection = new VisitConnection({
      url: house.url,
      grant: house.grant,
      renew: house.renew,
      onChange: (change) => this.#changed(change),
      onError: () => this.#refusedToAdmit(),
      onControl: (participant, message) => this.#told(participant, message),
    });
    media.addEventListener('change', this.#mediaChanged);
    this.#interruption.addEventListener('change', this.#mediaChanged);
    this.#interruption.watch();
    this.#mediaChanged();
    house.wakeLock.hold();
  }

  /** The practice is told how the device check went. @param {CheckResult} checked */
  check(checked) {
    this.connection.check(checked);
  }

  /**
   * Whoever lets people in is there at once; `admit` is let in as soon as camera and signalling are there.
   * @param {string} admit  a participant, or empty
   * @param {Promise<unknown>} opening  camera and microphone are being opened
   */
  host(admit, opening) {
    this.#admit = admit;
    if (admit) this.#showStage();
    else this.#showLobby();
    const welcome = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#welcomed = resolve)));
    void Promise.all([opening, welcome]).then(() => {
      if (this.#admit && this.connection.state.phase !== 'admitted') this.connection.admit(this.#admit);
    });
  }

  close() {
    this.#admit = '';
    this.connection.close();
    this.#interruption.stop();
    this.#house.media.removeEventListener('change', this.#mediaChanged);
  }

  /** Whoever may let people in does not wait: also a practitioner who came by a join link. */
  get #admits() {
    return this.connection.state.you?.capabilities.includes('admit') ?? false;
  }

  /** The practice's time zone, where it is known. */
  get #zone() {
    return this.#house.preview?.time_zone ?? this.#house.element.getAttribute('time-zone') ?? undefined;
  }

  /** @param {string} phase @param {...Child} nodes */
  #step(phase, ...nodes) {
    this.#room = null;
    this.#house.step(phase, ...nodes);
  }

  #showLobby() {
    let lobby = this.#room;
    if (!(lobby instanceof Lobby)) {
      lobby = new Lobby(this.#house.element, this.connection, () => this.#leave(), this.#zone);
      this.#step('waiting', lobby.node);
      this.#room = lobby;
    }
    lobby.update(this.connection.state.entry);
  }

  /** Out of the waiting room, or back to the list; the visit goes on without them. */
  #leave() {
    this.#left = true;
    this.connection.hangUp();
  }

  /** Whoever was to be let in is not there any more: show who is. */
  #refusedToAdmit() {
    if (!this.#admit || this.connection.state.phase !== 'waiting') return;
    this.#admit = '';
    this.#showLobby();
  }

  #mediaChanged = () => {
    const { tracks, switches } = this.#house.media;
    const { sending } = this.#interruption.verdict;
    const sent = { audio: sending.audio ? tracks.audio : null, video: sending.video ? tracks.video : null };
    this.connection.setMedia(sent, switches);
    this.connection.setInterruption(this.#interruption.told);
  };

  /** By another page, directly. @param {string} participant @param {Control} message */
  #told(participant, message) {
    if (message.t !== 'screen-asked') this.#house.element.emit('vsdk-control', { participant, message });
    else if (this.#room instanceof VisitStage) this.#room.screenAsked(participant);
  }

  /** @param {Change} change */
  #changed(change) {
    if (change === 'ready') this.#welcomed();
    else if (change === 'phase') this.#phaseChanged();
    else if (this.#room instanceof VisitStage) this.#room.update();
    else if (this.#room instanceof WaitingRoom) this.#room.follow(this.connection);
    else if (this.#room instanceof Lobby && change === 'chat') this.#room.update(this.connection.state.entry);
    else if (change === 'queue' && this.connection.state.phase === 'waiting' && this.#admits && !this.#admit) this.#showLobby();
  }

  #phaseChanged() {
    const { phase, refusal } = this.connection.state;
    if (phase === 'ended' || phase === 'cancelled' || phase === 'refused') this.#interruption.stop();
    if (phase === 'waiting' && this.#admits) {
      if (!this.#admit) this.#showLobby();
    } else if (phase === 'waiting') this.#showWaitingRoom();
    else if (phase === 'admitted') this.#showStage();
    else if (phase === 'ended') this.#ended();
    else if (phase === 'cancelled') this.#house.finish('appointment-cancelled');
    else if (phase === 'refused') this.#house.finish(refusal ?? 'other');
  }

  #showWaitingRoom() {
    const { preview } = this.#house;
    const { waiting, visit } = this.connection.state;
    const room = this.#inner(new WaitingRoom());
    room.media = this.#house.media;
    room.connection = this.connection;
    room.wakeLock = this.#house.wakeLock;
    room.grant = this.#house.grant;
    room.pushKey = preview?.push_key ?? '';
    room.details = {
      practitioner: waiting?.practitioner || visit?.practitioner || preview?.practice.name || '',
      start: waiting?.start ?? '',
      delay: waiting?.delay_minutes ?? 0,
      zone: preview?.time_zone,
    };
    room.addEventListener('vsdk-leave', () => this.#leave());
    this.#step('waiting', step(room));
    this.#room = room;
  }

  #showStage() {
    if (this.#room instanceof VisitStage) return this.#room.update();
    const stage = this.#inner(new VisitStage());
    stage.connection = this.connection;
    stage.media = this.#house.media;
    stage.interruption = this.#interruption;
    stage.zone = this.#zone;
    const person = this.connection.state.entry?.people.find(({ role }) => role === 'patient');
    stage.expected = this.#house.preview?.practitioner ?? person?.name ?? '';
    stage.addEventListener('vsdk-anew', () => this.#house.anew());
    stage.addEventListener('vsdk-hang-up', () => this.connection.hangUp());
    const waited = this.#room instanceof WaitingRoom;
    this.#step('visit', stage);
    this.#room = stage;
    if (waited) void callIn();
  }

  #ended() {
    const { state } = this.connection;
    this.#house.ended({
      visit: state.visit?.id,
      left: this.#left,
      until: state.ended?.come_back_until ?? null,
    });
  }

  /** @template {VsdkElement} E @param {E} element @returns {E} */
  #inner(element) {
    element.setAttribute('server', this.#house.element.server);
    element.setAttribute('lang', this.#house.element.lang);
    return element;
  }
}
