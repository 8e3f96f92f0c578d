import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { DELAYS, Signalling, delay, newSeat } from '../../../src/vsdk/widgets/static/signalling.js';

const sockets = [];
const browser = new EventTarget();

class FakeSocket {
  constructor(url, protocol) {
    Object.assign(this, { url, protocol, sent: [], closed: null });
    sockets.push(this);
  }
  send(data) {
    this.sent.push(JSON.parse(data));
  }
  close(code) {
    this.closed = code ?? 1005;
  }
  welcome() {
    this.onopen();
    this.says({ type: 'welcome' });
  }
  says(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  types() {
    return this.sent.map((message) => message.type);
  }
}

let heard, states, renewals, signalling;

function begin(renew = async () => 'renewed') {
  heard = [];
  states = [];
  renewals = 0;
  signalling = new Signalling({
    url: 'wss://server.example/signal',
    grant: () => 'first',
    seat: 'seat',
    onMessage: (message) => heard.push(message.type),
    onState: (state, code) => states.push([state, code]),
    renew: () => {
      renewals++;
      return renew();
    },
  });
}

const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

beforeEach(() => {
  sockets.length = 0;
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  mock.method(Math, 'random', () => 0.5);
  globalThis.WebSocket = FakeSocket;
  globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  globalThis.addEventListener = browser.addEventListener.bind(browser);
  globalThis.removeEventListener = browser.removeEventListener.bind(browser);
});

afterEach(() => {
  signalling?.close();
  mock.timers.reset();
  mock.restoreAll();
});

test('hello comes first, with grant and seat, under the subprotocol vsdk.v1', () => {
  begin();
  sockets[0].onopen();
  assert.equal(sockets[0].protocol, 'vsdk.v1');
  assert.deepEqual(sockets[0].sent, [{ type: 'hello', grant: 'first', seat: 'seat' }]);
});

test('what is sent before the welcome is kept in order, media messages are not', () => {
  begin();
  signalling.send({ type: 'check', camera: 'good', microphone: 'good', connection: 'good' });
  signalling.send({ type: 'offer', to: 'p', epoch: 1, sdp: '' });
  signalling.send({ type: 'ice', to: 'p', epoch: 1, candidate: null });
  signalling.send({ type: 'connected' });
  sockets[0].welcome();
  assert.deepEqual(sockets[0].types(), ['hello', 'check', 'connected']);
});

test('delays grow to seven seconds and vary by half', () => {
  assert.deepEqual(DELAYS, [0, 300, 1200, 2700, 4800, 7000]);
  assert.equal(delay(99, 0.5), 7000);
  assert.equal(delay(2, 0), 600);
  assert.equal(delay(2, 1), 1800);
});

test('it comes back after a loss, each time a little later, and at once after a welcome', async () => {
  begin();
  sockets[0].welcome();
  sockets[0].onclose({ code: 1006 });
  mock.timers.tick(0);
  await settle();
  assert.equal(sockets.length, 2);
  sockets[1].onclose({ code: 1006 });
  mock.timers.tick(299);
  await settle();
  assert.equal(sockets.length, 2);
  mock.timers.tick(1);
  await settle();
  assert.equal(sockets.length, 3);
  sockets[2].welcome();
  sockets[2].onclose({ code: 1012 });
  mock.timers.tick(0);
  await settle();
  assert.equal(sockets.length, 4);
  assert.deepEqual(states.map(([state]) => state), ['open', 'down', 'open', 'down']);
});

test('being online again ends the waiting', async () => {
  begin();
  for (const index of [0, 1, 2, 3]) {
    sockets[index].onclose({ code: 1006 });
    if (index < 3) mock.timers.tick(DELAYS[index]);
    await settle();
  }
  assert.equal(sockets.length, 4);
  browser.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(sockets.length, 5);
});

for (const code of [1000, 4400, 4403, 4409]) {
  test(`${code} is final`, async () => {
    begin();
    sockets[0].welcome();
    sockets[0].onclose({ code });
    mock.timers.tick(60_000);
    browser.dispatchEvent(new Event('online'));
    await settle();
    assert.equal(sockets.length, 1);
    assert.deepEqual(states.at(-1), ['closed', code]);
  });
}

test('4401 asks for a new grant and uses it', async () => {
  begin();
  sockets[0].onopen();
  sockets[0].onclose({ code: 4401 });
  mock.timers.tick(0);
  await settle();
  sockets[1].onopen();
  assert.equal(renewals, 1);
  assert.equal(sockets[1].sent[0].grant, 'renewed');
});

test('without a new grant it ends; without a network it tries again', async () => {
  begin(async () => {
    throw new Error('join-link-late');
  });
  sockets[0].onclose({ code: 4401 });
  mock.timers.tick(0);
  await settle();
  assert.deepEqual(states.at(-1), ['closed', 4401]);

  begin(async () => {
    throw new TypeError('no network');
  });
  sockets.at(-1).onclose({ code: 4401 });
  mock.timers.tick(0);
  await settle();
  mock.timers.tick(300);
  await settle();
  assert.equal(renewals, 2);
  assert.equal(signalling.state, 'down');
});

test('the newest grant is used when coming back', async () => {
  begin();
  sockets[0].welcome();
  sockets[0].says({ type: 'grant', grant: 'second' });
  sockets[0].onclose({ code: 1006 });
  mock.timers.tick(0);
  await settle();
  sockets[1].onopen();
  assert.equal(sockets[1].sent[0].grant, 'second');
});

test('4429 waits five seconds', async () => {
  begin();
  sockets[0].onclose({ code: 4429 });
  mock.timers.tick(4999);
  await settle();
  assert.equal(sockets.length, 1);
  mock.timers.tick(1);
  await settle();
  assert.equal(sockets.length, 2);
});

test('a server that does not answer a ping within five seconds is gone', async () => {
  begin();
  sockets[0].welcome();
  mock.timers.tick(15_000);
  assert.equal(sockets[0].types().at(-1), 'ping');
  mock.timers.tick(4999);
  assert.equal(signalling.state, 'open');
  mock.timers.tick(1);
  assert.equal(signalling.state, 'down');
  assert.notEqual(sockets[0].closed, null);
});

test('a pong keeps it open', () => {
  begin();
  sockets[0].welcome();
  mock.timers.tick(15_000);
  sockets[0].says({ type: 'pong' });
  mock.timers.tick(5000);
  assert.equal(signalling.state, 'open');
});

test('a message of an older socket is not heard', async () => {
  begin();
  sockets[0].welcome();
  sockets[0].onclose({ code: 1006 });
  mock.timers.tick(0);
  await settle();
  sockets[0].says({ type: 'ended' });
  assert.deepEqual(heard, ['welcome']);
});

test('seats are random and of the right length', () => {
  assert.match(newSeat(), /^[0-9a-f]{32}$/);
  assert.notEqual(newSeat(), newSeat());
});

test('a goodbye is still sent when the page hangs up while the server is away', async () => {
  begin();
  sockets[0].welcome();
  sockets[0].onclose({ code: 1006 });
  signalling.send({ type: 'bye' });
  signalling.close();
  mock.timers.tick(0);
  await settle();
  sockets[1].welcome();
  assert.deepEqual(sockets[1].types(), ['hello', 'bye']);
  assert.equal(sockets[1].closed, 1000);
  assert.deepEqual(heard, ['welcome']);
});
