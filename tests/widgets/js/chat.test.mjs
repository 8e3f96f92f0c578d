import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Chat, FILE_LIMIT, TEXT_LIMIT } from '../../../src/vsdk/widgets/static/chat.js';
import { newKeys } from '../../../src/vsdk/widgets/static/sealed-box.js';

/** What a browser keeps: a page that is loaded anew opens the same one. */
class Memory {
  rows = new Map();
  keys = null;
  async open() {
    this.keys ??= await newKeys();
    return { keys: this.keys, messages: structuredClone([...this.rows.values()]) };
  }
  async keep(message) {
    this.rows.set(message.id, structuredClone(message));
  }
  async erase() {
    this.rows.clear();
    this.keys = null;
  }
}

/** A server that forwards boxes, and may lose some. */
class Relay {
  chats = new Map();
  keys = new Map();
  carried = [];
  lose = () => false;

  join(participant, name, role, store = new Memory()) {
    const chat = new Chat('visit-1', { participant, name, role }, (message) => this.#take(participant, message), store);
    this.chats.set(participant, chat);
    return chat;
  }

  leave(participant) {
    this.chats.get(participant).close();
    this.chats.delete(participant);
    this.keys.delete(participant);
    this.#tellAll();
  }

  #take(from, message) {
    if (message.type === 'chat-key') {
      this.keys.set(from, message.key);
      return this.#tellAll();
    }
    this.carried.push(message.box);
    if (!this.lose(message)) this.chats.get(message.to)?.receive({ type: 'chat', from, box: message.box });
  }

  #tellAll() {
    for (const [own, chat] of this.chats) {
      if (!this.keys.has(own)) continue;
      const peers = [...this.keys].filter(([participant]) => participant !== own).map(([participant, key]) => ({ participant, key, name: participant, role: 'patient' }));
      chat.receive({ type: 'chat-peers', peers });
    }
  }
}

async function until(holds, milliseconds = 8000) {
  for (let waited = 0; waited < milliseconds; waited += 5) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail(`not within ${milliseconds} ms: ${holds}`);
}

async function pair() {
  const relay = new Relay();
  const patient = relay.join('pat', 'Erika Beispiel', 'patient');
  const doctor = relay.join('doc', 'Dr. Muster', 'practitioner');
  await Promise.all([patient.announce(), doctor.announce()]);
  await until(() => patient.peers.size === 1 && doctor.peers.size === 1);
  return { relay, patient, doctor };
}

const texts = (chat) => chat.messages.map(({ text }) => text);

test('a text arrives, is marked as delivered, and as read when it was seen', async () => {
  const { relay, patient, doctor } = await pair();
  doctor.say('  Ich komme gleich.  ');
  assert.equal(doctor.messages[0].delivered.pat, 'sending');
  await until(() => patient.messages.length === 1);
  assert.deepEqual(texts(patient), ['Ich komme gleich.']);
  await until(() => doctor.messages[0].delivered.pat === 'got');
  assert.equal(patient.unread, 1);
  patient.seen();
  await until(() => doctor.messages[0].delivered.pat === 'read');
  assert.equal(patient.unread, 0);
  assert.ok(!relay.carried.some((box) => Buffer.from(box, 'base64url').includes('gleich')));
});

test('what is written while nobody is there goes to whoever comes first, and not to who comes later', async () => {
  const relay = new Relay();
  const patient = relay.join('pat', 'Erika Beispiel', 'patient');
  await patient.announce();
  patient.say('Hallo?');
  const doctor = relay.join('doc', 'Dr. Muster', 'practitioner');
  await doctor.announce();
  await until(() => doctor.messages.length === 1);
  await until(() => patient.messages[0].delivered.doc === 'got');
  const later = relay.join('int', 'Dolmetscherin', 'interpreter');
  await later.announce();
  await until(() => patient.peers.size === 2);
  patient.say('Für alle');
  await until(() => later.messages.length === 1);
  assert.deepEqual(texts(later), ['Für alle']);
});

test('a file arrives byte for byte, and says how far it is', async () => {
  const { patient, doctor } = await pair();
  const content = new Uint8Array(300_000).map((_, at) => at * 7);
  assert.equal(patient.offer(new File([content], 'Befund.pdf', { type: 'application/pdf' })), '');
  const seen = [];
  patient.addEventListener('change', () => seen.push(patient.progress(patient.messages[0])));
  await until(() => doctor.messages.length === 1);
  const { file } = doctor.messages[0];
  assert.deepEqual([file.name, file.type, file.size], ['Befund.pdf', 'application/pdf', 300_000]);
  assert.deepEqual(new Uint8Array(await file.blob.arrayBuffer()), content);
  await until(() => patient.messages[0].delivered.doc === 'got');
  assert.ok(seen.some((progress) => progress > 0 && progress < 1), String(seen));
});

test('what got lost on the way is sent again, once there', async () => {
  const { relay, patient, doctor } = await pair();
  let lost = 0;
  relay.lose = ({ to }) => to === 'doc' && lost++ % 3 === 1;
  patient.offer(new File([new Uint8Array(200_000)], 'a.bin'));
  await until(() => doctor.messages.length === 1, 20_000);
  await until(() => patient.messages[0].delivered.doc === 'got', 20_000);
  assert.equal(doctor.messages.length, 1);
  assert.ok(lost > 3);
});

test('a page that is loaded anew has its messages, its key, and goes on sending', async () => {
  const relay = new Relay();
  const store = new Memory();
  const patient = relay.join('pat', 'Erika Beispiel', 'patient', store);
  const doctor = relay.join('doc', 'Dr. Muster', 'practitioner');
  await Promise.all([patient.announce(), doctor.announce()]);
  await until(() => patient.peers.size === 1);
  doctor.say('eins');
  await until(() => patient.messages.length === 1);
  relay.lose = () => true;
  patient.say('zwei');
  relay.leave('pat');
  relay.lose = () => false;
  const again = relay.join('pat', 'Erika Beispiel', 'patient', store);
  await again.announce();
  assert.equal(again.key, patient.key);
  await until(() => doctor.messages.length === 2);
  assert.deepEqual(texts(again), ['eins', 'zwei']);
  assert.deepEqual(texts(doctor), ['eins', 'zwei']);
  await until(() => again.messages[1].delivered.doc === 'got');
});

test('a receiver that was loaded anew in the middle of a file gets it from the start', async () => {
  const relay = new Relay();
  const store = new Memory();
  const patient = relay.join('pat', 'Erika Beispiel', 'patient');
  const doctor = relay.join('doc', 'Dr. Muster', 'practitioner', store);
  await Promise.all([patient.announce(), doctor.announce()]);
  await until(() => patient.peers.size === 1 && doctor.peers.size === 1);
  let parts = 0;
  relay.lose = ({ to }) => to === 'doc' && ++parts > 3;
  patient.offer(new File([new Uint8Array(400_000)], 'a.bin'));
  await until(() => parts > 3);
  relay.leave('doc');
  relay.lose = () => false;
  const again = relay.join('doc', 'Dr. Muster', 'practitioner', store);
  await again.announce();
  await until(() => again.messages.length === 1, 20_000);
  assert.equal(again.messages[0].file.size, 400_000);
});

test('at the end nothing is left, neither here nor in the browser', async () => {
  const { patient, doctor } = await pair();
  doctor.say('vergänglich');
  await until(() => patient.messages.length === 1);
  await patient.end();
  assert.deepEqual(patient.messages, []);
  assert.equal(patient.peers.size, 0);
  doctor.say('zu spät');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(patient.messages, []);
  doctor.close();
});

test('what is too large, empty or only spaces is not sent', async () => {
  const { patient, doctor } = await pair();
  assert.equal(patient.offer(new File([], 'leer.txt')), 'empty');
  assert.equal(patient.offer(new File([new Uint8Array(FILE_LIMIT + 1)], 'gross.bin')), 'too-large');
  patient.say('   ');
  assert.deepEqual(patient.messages, []);
  patient.say('x'.repeat(TEXT_LIMIT + 5));
  assert.equal(patient.messages[0].text.length, TEXT_LIMIT);
  await until(() => doctor.messages.length === 1);
});

test('the name of a file brings no folder, no control character and no turned direction along', async () => {
  const { patient, doctor } = await pair();
  patient.offer(new File(['x'], '..\\..\\evil\u202Egpj.exe\u0000'));
  await until(() => doctor.messages.length === 1);
  assert.equal(doctor.messages[0].file.name, 'evilgpj.exe');
});

test('a box that cannot be opened, or says nothing known, changes nothing', async () => {
  const { relay, patient, doctor } = await pair();
  patient.receive({ type: 'chat', from: 'doc', box: 'AAAA' });
  patient.receive({ type: 'chat', from: 'nobody', box: relay.carried[0] ?? 'AAAA' });
  doctor.say('danach');
  await until(() => patient.messages.length === 1);
  assert.deepEqual(texts(patient), ['danach']);
  const [box] = relay.carried;
  patient.receive({ type: 'chat', from: 'doc', box });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(patient.messages.length, 1, 'the same box twice is one message');
});
