// Tests the browser's side, on the WebSocket class of `ws`, which has the same interface, and on
// Node's own class if there is one.

import {
  type Clock,
  type ClockTimer,
  systemClock,
  type TransportError,
} from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer, StreamSink } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { WebSocket } from 'ws';
import { createWsStreamLayer as createBrowserLayer } from './index.layer.browser.ts';
import { createNativeStreamLayer } from './native-stream-layer.ts';
import type { NativeWebSocketClass } from './native-web-socket.ts';
import { rejection, webSockets } from './testing/upgrades.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const classes: [string, NativeWebSocketClass | undefined][] = [
  ['native over ws', WebSocket as unknown as NativeWebSocketClass],
  ["native, Node's own", (globalThis as { WebSocket?: NativeWebSocketClass }).WebSocket],
];

for (const [name, webSocket] of classes) {
  if (webSocket === undefined) continue;
  streamLayerSuite(test, {
    name,
    make: ({ clock }) => ({
      // Dials like a page and listens like a node.
      layer(bindAddr, advertiseAddr): StreamLayer {
        const node = createWsStreamLayer({ bindAddr, advertiseAddr, clock });
        const page = createNativeStreamLayer({ clock: withRealPolls(clock), webSocket });
        return {
          listen: (accept, failed) => node.listen(accept, failed),
          dial: (address, options) => page.dial(address, options),
          localAddr: () => node.localAddr(),
          advertiseAddr: () => node.advertiseAddr(),
          close: async () => void (await Promise.all([node.close(), page.close()])),
        };
      },
      malformed: ['', '127.0.0.1:7000', 'tcp://127.0.0.1:7000', 'ws://127.0.0.1:0/'],
    }),
    skip: {
      'a dial to an address without a listener fails with connection_refused and names the address':
        'a browser does not tell pages why a dial failed',
      'close frees the address, and a dial to it is refused':
        'a browser does not tell pages why a dial failed',
      'writes to a paused reader start to return false, and drained follows once it reads':
        'the browser decides how much it buffers',
      'a paused connection does not stop others of the same two layers':
        'the browser decides how much it buffers',
      'a flood after close is cut off at 256 KiB':
        'a page cannot limit the data that arrives after close, only the time',
      'back-pressure applies to writes of the acceptor, too':
        'a page cannot pause a WebSocket, so the browser keeps what arrives',
    },
  });
}

test('a browser cannot listen, and the error says what to do', async (t) => {
  const layer = createBrowserLayer();
  const error = await rejection(layer.listen(() => {}));
  t.is(error.code, 'unimplemented');
  t.regex(error.message, /dial a node/);
  t.throws(() => layer.localAddr(), { message: /browser/ });
});

test('an open connection keeps nothing of its dial', async (t) => {
  const node = createWsStreamLayer({ bindAddr: '127.0.0.1:0' });
  await node.listen((accepted) => accepted.destroy());
  const opened: WebSocket[] = [];
  class Observed extends WebSocket {
    constructor(...given: ConstructorParameters<typeof WebSocket>) {
      super(...given);
      opened.push(this);
    }
  }
  const page = createNativeStreamLayer({
    webSocket: Observed as unknown as NativeWebSocketClass,
  });
  const connection = await page.dial(node.localAddr(), { timeout: 5_000 });
  t.is(opened[0]!.onopen, null);
  connection.destroy();
  await Promise.all([page.close(), node.close()]);
});

test('a failed dial names the address and the possible cause', async (t) => {
  const layer = createNativeStreamLayer({ webSocket: classes[0]![1] });
  const error = await rejection(layer.dial('ws://127.0.0.1:1/', { timeout: 10_000 }));
  t.is(error.code, 'unavailable');
  t.true(error.message.includes('ws://127.0.0.1:1/'));
});

test('a dial that the browser forbids is unavailable, and the error says why', async (t) => {
  class Forbidding {
    constructor() {
      throw new DOMException('the port is not allowed', 'SecurityError');
    }
  }
  const webSocket = Forbidding as unknown as NativeWebSocketClass;
  const layer = createNativeStreamLayer({ webSocket });
  const error = await rejection(layer.dial('ws://127.0.0.1:6667/', { timeout: 10_000 }));
  t.is(error.code, 'unavailable');
  t.is(error.target, 'ws://127.0.0.1:6667/');
  t.regex(
    error.message,
    /^Cannot connect to ws:.*:6667\/: SecurityError: the port is not allowed$/,
  );
});

test('a text message ends the connection with 1003', async (t) => {
  const { server, address } = await webSockets(t);
  const code = new Promise<number>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('close', resolve);
      socket.send('words');
    });
  });
  const layer = createNativeStreamLayer({ webSocket: classes[0]![1] });
  const connection = await layer.dial(address, { timeout: 10_000 });
  const error = await new Promise<TransportError | undefined>((resolve) =>
    connection.attach({ data() {}, frames() {}, drained() {}, closed: resolve }),
  );
  t.is(error?.reason, 'malformed');
  t.is(await code, 1003);
});

test('drained is reported by a timer once the queue of the browser is nearly empty', async (t) => {
  const { clock, socket, dialed } = await dialFake();
  const { connection, drains } = watch(dialed);
  t.true(connection.write(new Uint8Array(60_000)));
  t.is(socket.bufferedAmount, 60_000);
  t.false(connection.write(new Uint8Array(10_000)));
  clock.advance(100);
  t.is(drains(), 0);
  socket.bufferedAmount = 10_000;
  clock.advance(4);
  t.is(drains(), 1);
  t.is(clock.timers, 0);
  t.false(connection.write(new Uint8Array(60_000)));
  connection.destroy();
  t.is(clock.timers, 0);
});

test('an incoming message also checks for drained, because timers of a background page are slow', async (t) => {
  const { socket, dialed } = await dialFake();
  const { connection, drains } = watch(dialed);
  t.false(connection.write(new Uint8Array(100_000)));
  socket.bufferedAmount = 0;
  socket.onmessage?.({ data: new ArrayBuffer(1) });
  t.is(drains(), 1);
  connection.destroy();
});

test('data that arrived before the end is delivered before it, once reading resumes', async (t) => {
  const { clock, socket, dialed: connection } = await dialFake();
  const reported: (number | 'end')[] = [];
  connection.attach({
    data: (chunk) => void reported.push(chunk.length),
    frames() {},
    drained() {},
    closed: () => void reported.push('end'),
  });
  connection.pause();
  socket.onmessage?.({ data: new ArrayBuffer(3) });
  socket.onclose?.({ code: 1000, reason: '' });
  await new Promise<void>((resolve) => clock.defer(resolve));
  t.deepEqual(reported, []);
  connection.resume();
  await new Promise<void>((resolve) => clock.defer(resolve));
  t.deepEqual(reported, [3, 'end']);
});

for (const how of ['close', 'destroy'] as const)
  test(`${how}() while unread data delays the end drops the data and reports the end once`, async (t) => {
    const { clock, socket, dialed: connection } = await dialFake();
    const reported: (number | 'end')[] = [];
    connection.attach({
      data: (chunk) => void reported.push(chunk.length),
      frames() {},
      drained() {},
      closed: () => void reported.push('end'),
    });
    connection.pause();
    socket.onmessage?.({ data: new ArrayBuffer(3) });
    socket.onclose?.({ code: 1000, reason: '' });
    connection.resume();
    connection[how]();
    t.deepEqual(reported, [], 'nothing is reported within the call');
    await new Promise<void>((resolve) => clock.defer(resolve));
    connection[how]();
    await new Promise<void>((resolve) => clock.defer(resolve));
    t.deepEqual(reported, ['end']);
  });

/** Dials over a WebSocket of a test. */
async function dialFake() {
  const clock = createManualClock();
  const { sockets, webSocket } = fakes();
  const dialing = createNativeStreamLayer({ clock, webSocket }).dial('ws://node:1/', {
    timeout: 10_000,
  });
  const [socket] = sockets as [FakeWebSocket];
  socket.onopen?.();
  return { clock, socket, dialed: await dialing };
}

/**
 * The suite uses a manual clock, but the polls that repeat every few milliseconds need real time.
 */
function withRealPolls(clock: Clock): Clock {
  const polls = new Set<ClockTimer>();
  return {
    ...clock,
    setTimeout(callback, delay) {
      if (delay > 10) return clock.setTimeout(callback, delay);
      const timer = systemClock.setTimeout(callback, delay);
      polls.add(timer);
      return timer;
    },
    clearTimeout: (timer) => (polls.delete(timer) ? systemClock : clock).clearTimeout(timer),
  };
}

class FakeWebSocket {
  binaryType = 'blob';
  readyState = 1;
  bufferedAmount = 0;
  protocol = 'trunkline.v1';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  send(data: Uint8Array): void {
    this.bufferedAmount += data.length;
  }
  close(): void {}
}

/** Returns a class of sockets that do nothing by themselves, and the list of the instances. */
function fakes() {
  const sockets: FakeWebSocket[] = [];
  const webSocket = class extends FakeWebSocket {
    constructor() {
      super();
      sockets.push(this);
    }
  } as unknown as NativeWebSocketClass;
  return { sockets, webSocket };
}

function watch(connection: StreamConnection) {
  let drained = 0;
  const sink: StreamSink = { data() {}, frames() {}, drained: () => void drained++, closed() {} };
  connection.attach(sink);
  return { connection, drains: () => drained };
}
