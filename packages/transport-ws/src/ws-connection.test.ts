// Tests the messages that a connected peer may send, and the close codes and errors that each end
// sees.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createIdentity, selfSigned } from '@trunkline/security';
import { type Clock, TransportError } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock, type ManualClock } from '@trunkline/transport-core/testing';
import { Recorder } from '@trunkline/transport-testkit/internal';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { BINARY, frame } from './testing/frames.ts';
import { dial, http, rejection } from './testing/upgrades.ts';
import type { HttpServer } from './ws-options.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

test('one write is one binary message, and a long one is split at 256 KiB', async (t) => {
  const { sink, peer } = await accepted(t);
  const sizes: number[] = [];
  const whole = new Promise<void>((resolve) => {
    peer.on('message', (data: Buffer, isBinary) => {
      t.true(isBinary);
      sizes.push(data.length);
      if (sizes.reduce((sum, size) => sum + size, 0) === 600_010) resolve();
    });
  });
  sink.connection.write(new Uint8Array(10));
  sink.connection.write(new Uint8Array(600_000));
  await whole;
  t.deepEqual(sizes, [10, 262_144, 262_144, 75_712]);
});

test('boundaries of messages are ignored: fragments and pieces are one stream', async (t) => {
  const { sink, peer } = await accepted(t);
  peer.send('ab', { binary: true, fin: false });
  peer.send('cd', { binary: true, fin: true });
  peer.send(Buffer.from('ef'));
  await sink.until(() => sink.size === 6);
  t.is(new TextDecoder().decode(sink.bytes()), 'abcdef');
});

test('an empty message is reported, because many of them are a flood', async (t) => {
  const { sink, peer } = await accepted(t);
  for (let n = 0; n < 3; n++) peer.send(Buffer.alloc(0));
  peer.send('end', { binary: true });
  await sink.until(() => sink.size === 3);
  t.is(sink.chunks.length, 4);
});

test('a pause in the middle of a chunk leaves its other messages to later turns', async (t) => {
  const { socket, sink } = await upgraded(t);
  const turn = deferred<number>();
  sink.onData = () => {
    if (sink.chunks.length > 1) return;
    sink.connection.pause();
    setImmediate(() => {
      turn.resolve(sink.chunks.length);
      sink.connection.resume();
    });
  };
  socket.write(Buffer.concat(Array<Buffer>(5_000).fill(EMPTY_MESSAGE)));
  const inSameTurn = await turn.promise;
  await sink.until(() => sink.chunks.length === 5_000);
  t.true(inSameTurn <= 2, `${inSameTurn} messages came in the turn of the pause`);
});

test('after the end, the messages of a chunk are discarded one in each turn', async (t) => {
  const { socket, sink } = await upgraded(t, createManualClock());
  const turns = countTurns(sink);
  sink.onData = () => {
    sink.connection.close();
    turns.start();
  };
  socket.on('error', () => {}).resume();
  socket.write(Buffer.concat(Array<Buffer>(5_000).fill(EMPTY_MESSAGE)));
  await sink.ended();
  t.true(turns.count > 1_000, `discarded within ${turns.count} turns`);
});

for (const [title, end, most] of [
  ['destroy', (connection: StreamConnection) => connection.destroy(), 10],
  ['close', (connection: StreamConnection) => connection.close(), 4_200],
] as const)
  test.serial(`after a ${title}, ws drops messages that nobody wants unread`, async (t) => {
    const { socket, sink } = await upgraded(t);
    const { emit } = WebSocket.prototype;
    let messages = 0;
    WebSocket.prototype.emit = function (this: WebSocket, event: string | symbol, ...rest: any[]) {
      if (event === 'message') messages++;
      return emit.call(this, event, ...rest);
    };
    t.teardown(() => (WebSocket.prototype.emit = emit));
    sink.onData = () => end(sink.connection);
    socket.on('error', () => {}).resume();
    socket.write(Buffer.concat(Array<Buffer>(9_000).fill(EMPTY_MESSAGE)));
    await sink.ended();
    t.true(messages <= most, `${messages} messages`);
  });

for (const [title, end] of [
  ['destroy', (connection: StreamConnection) => connection.destroy()],
  [
    'a close that has taken too long',
    (connection: StreamConnection, clock: ManualClock) => {
      connection.close();
      clock.advance(1_000);
    },
  ],
] as const)
  test(`${title} ends at once, however many messages were read from the socket`, async (t) => {
    const clock = createManualClock();
    const { socket, sink } = await upgraded(t, clock);
    const turns = countTurns(sink);
    sink.onData = () => {
      if (turns.count > 0) return;
      end(sink.connection, clock);
      turns.start();
    };
    socket.on('error', () => {}).resume();
    socket.write(Buffer.concat(Array<Buffer>(5_000).fill(EMPTY_MESSAGE)));
    await sink.ended();
    t.true(turns.count < 100, `ended after ${turns.count} turns`);
  });

test('a ping is answered, and pings and pongs are reported as empty, because many are a flood', async (t) => {
  const { sink, peer } = await accepted(t);
  peer.ping('are you there');
  t.is(String((await once(peer, 'pong'))[0]), 'are you there');
  peer.pong('here');
  await sink.until(() => sink.chunks.length === 2);
  t.is(sink.size, 0);
});

test('a write under TLS is reported as drained even if a pong waits behind it', async (t) => {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await selfSigned(identity) };
  const { server } = await http(t, createHttpsServer(tls));
  const { sink, peer } = await accepted(t, undefined, server);
  sink.onData = ({ length }) => void (length > 0 && sink.connection.write(new Uint8Array(1)));
  // In one packet, so that the ping is read before Node reports that the answer is written.
  const { _socket: socket } = peer as unknown as { _socket: Socket };
  socket.cork();
  peer.send(Buffer.from('x'));
  peer.ping();
  socket.uncork();
  await sink.until(() => sink.drains === 1);
  t.is(sink.chunks.length, 2);
});

for (const [title, send, code, reason] of [
  ['a text message', (peer) => peer.send('words'), 1003, 'malformed'],
  [
    'text that is not UTF-8',
    (peer) => peer.send(Buffer.from([0xff, 0xfe]), { binary: false }),
    1007,
    'malformed',
  ],
  [
    'a flood of fragments',
    (peer) => {
      for (let i = 0; i < 1_200; i++) peer.send(Buffer.from([1]), { binary: true, fin: false });
    },
    1008,
    'flood',
  ],
] as [string, (peer: WebSocket) => void, number, string][])
  test(`${title} ends the connection with ${code}`, async (t) => {
    const { sink, peer } = await accepted(t);
    send(peer);
    t.is((await once(peer, 'close'))[0], code);
    await sink.ended();
    t.is(sink.error?.reason, reason as never);
  });

test('a message over 1 MiB ends it with 1009, and one of exactly 1 MiB does not', async (t) => {
  const { sink, peer } = await accepted(t);
  peer.send(new Uint8Array(1024 * 1024));
  await sink.until(() => sink.size === 1024 * 1024);
  peer.send(new Uint8Array(1024 * 1024 + 1));
  t.is((await once(peer, 'close'))[0], 1009);
  await sink.ended();
  t.is(sink.error?.reason, 'too_large');
});

for (const [title, frame, code] of [
  ['a frame that is not masked', [0x82, 0x01, 0x00], 1002],
  [
    'a length of 64 bits with its top bit set',
    [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
    1009,
  ],
  ['a reserved opcode', [0x83, 0x80, 1, 2, 3, 4], 1002],
  ['a reserved bit, compression without its extension', [0xc2, 0x80, 1, 2, 3, 4], 1002],
  ['a ping of 126 bytes', [0x89, 0xfe, 0x00, 0x7e, 1, 2, 3, 4], 1002],
  ['a control frame in fragments', [0x09, 0x80, 1, 2, 3, 4], 1002],
  ['a close frame of one byte', [0x88, 0x81, 0, 0, 0, 0, 0], 1002],
  ['a close code that may not cross, 1005', [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed], 1002],
  ['a close code that may not cross, 1006', [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xee], 1002],
  ['a close reason that is no UTF-8', [0x88, 0x84, 0, 0, 0, 0, 0x03, 0xe8, 0xc3, 0x28], 1007],
  ['a continuation of nothing', [0x80, 0x80, 1, 2, 3, 4], 1002],
] as const) {
  test(`${title} ends it with ${code}, and disturbs no other connection`, async (t) => {
    const { layer, sink: other, peer: otherPeer, next } = await accepted(t);
    const socket = await rawUpgrade(t, layer.localAddr());
    const sink = await next();
    socket.write(Buffer.from(frame));
    const bytes = await rest(socket);
    t.is(bytes[0], 0x88);
    t.is(bytes.readUInt16BE(2), code);
    await sink.ended();
    t.true(sink.error instanceof TransportError);
    t.true(sink.error?.reason === 'malformed' || sink.error?.reason === 'too_large');
    otherPeer.send(new Uint8Array(3));
    await other.until(() => other.size === 3);
  });
}

test('if a client resets while reading is paused, what had arrived of its message is unmasked', async (t) => {
  const { server } = await http(t, createHttpServer());
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const { socket, sink } = await upgraded(t, undefined, undefined, server);
  sink.onData = () => sink.connection.pause();
  const message = randomBytes(1_000);
  const sent = frame(BINARY, message, Buffer.from([1, 2, 3, 4]));
  // This first chunk ends within the message, after an empty one.
  socket.write(Buffer.concat([EMPTY_MESSAGE, sent.subarray(0, 500)]));
  await sink.until(() => sink.chunks.length === 1);
  socket.write(sent.subarray(500));
  while (sockets.at(-1)!.readableLength < sent.length - 500)
    await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
  await sink.ended();
  t.is(sink.error?.reason, 'reset');
  t.deepEqual(sink.bytes(), new Uint8Array(message));
});

test('data that follows the upgrade at once is not lost', async (t) => {
  const { socket, sink } = await upgraded(t, undefined, [0x82, 0x83, 0, 0, 0, 0, 7, 8, 9]);
  await sink.until(() => sink.size === 3);
  socket.destroy();
  t.pass();
});

for (const [title, bytes] of [
  ['noise', Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 37 + 129) & 255))],
  ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00, 0xa1, 0x03, 0x03])],
  ['headers of 32 KiB', Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(32 * 1024)}\r\n\r\n`)],
  [
    'an upgrade without a key',
    Buffer.from(
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: trunkline.v1\r\n\r\n',
    ),
  ],
  [
    'an upgrade by POST',
    Buffer.from(
      'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: trunkline.v1\r\n\r\n',
    ),
  ],
  [
    'more headers than are counted',
    Buffer.from(
      `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${'a: b\r\n'.repeat(2_100)}Sec-WebSocket-Protocol: trunkline.v1\r\n\r\n`,
    ),
  ],
] as const) {
  test(`${title} instead of an upgrade is closed, and disturbs no other connection`, async (t) => {
    const { layer, sink: other, peer: otherPeer, count } = await accepted(t);
    const { hostname, port } = new URL(layer.localAddr());
    const socket = connect(Number(port), hostname);
    t.teardown(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(bytes);
    const answer = await rest(socket);
    t.regex(answer.toString('latin1'), /^(HTTP\/1\.1 4\d\d |$)/);
    t.is(count(), 1);
    otherPeer.send(new Uint8Array(3));
    await other.until(() => other.size === 3);
  });
}

for (const [code, as, reason] of [
  [1000, undefined, undefined],
  [1001, undefined, undefined],
  [undefined, undefined, undefined],
  [1003, 'internal', 'malformed'],
  [1008, 'permission_denied', 'denied'],
  [1009, 'resource_exhausted', 'too_large'],
  [1011, 'unavailable', 'closed'],
  [1013, 'unavailable', 'closed'],
  [4_321, 'unavailable', 'closed'],
] as const) {
  test(`a peer that closes with ${code ?? 'no code'} is ${as === undefined ? 'an end in order' : `${as}/${reason}`}`, async (t) => {
    const { sink, peer } = await accepted(t);
    if (code === undefined) peer.close();
    else peer.close(code, 'so long');
    await sink.ended();
    t.is(sink.error?.code, as);
    t.is(sink.error?.reason, reason);
    if (as !== undefined)
      t.true(
        sink.error!.message.includes(String(code)) && sink.error!.message.includes('so long'),
        sink.error!.message,
      );
  });
}

test('a peer that never answers a close is disconnected after a second', async (t) => {
  const clock = createManualClock();
  const { socket, sink } = await upgraded(t, clock);
  const told = once(socket, 'data');
  sink.connection.close();
  t.deepEqual([...(await told)[0]], [0x88, 0x02, 0x03, 0xe8]);
  clock.advance(999);
  t.is(sink.ends, 0);
  clock.advance(1);
  await sink.ended();
  t.is(sink.error?.reason, 'reset');
  t.is(clock.timers, 0);
});

test('the dialer disconnects a server that masks its frames or sends text', async (t) => {
  for (const [frame, code] of [
    [[0x82, 0x81, 1, 2, 3, 4, 5], 1002],
    [[0x81, 0x01, 0x61], 1003],
  ] as const) {
    const told = deferred<number>();
    const address = await rawServer(t, (socket, accept) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: trunkline.v1\r\n\r\n`,
      );
      socket.write(Buffer.from(frame));
      socket.once('data', (bytes: Buffer) => {
        // Masked: opcode, length, four bytes of key, then the close code.
        told.resolve(((bytes[6]! ^ bytes[2]!) << 8) | (bytes[7]! ^ bytes[3]!));
        socket.end();
      });
    });
    const sink = new Recorder(await dial(address));
    await sink.ended();
    t.is(await told.promise, code);
    t.is(sink.error?.reason, 'malformed');
  }
});

test('empty messages after close are cut off, too', async (t) => {
  const clock = createManualClock();
  const { socket, sink } = await upgraded(t, clock);
  sink.connection.close();
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {}).resume();
  for (let n = 0; n < 5_000; n++) socket.write(EMPTY_MESSAGE);
  await gone;
  await sink.ended();
  t.is(sink.chunks.length, 0);
  t.is(clock.timers, 0);
});

test('pings after close are cut off, too, and report nothing', async (t) => {
  const clock = createManualClock();
  const { socket, sink } = await upgraded(t, clock);
  sink.connection.close();
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {}).resume();
  for (let n = 0; n < 5_000; n++) socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
  await gone;
  await sink.ended();
  t.is(sink.chunks.length, 0);
  t.is(clock.timers, 0);
});

for (const [title, answer, reason] of [
  ['does not speak HTTP', 'SSH-2.0-OpenSSH\r\n', 'wrong_preamble'],
  ['hangs up', undefined, 'reset'],
  [
    'answers with a wrong key',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\n\r\n',
    'wrong_version',
  ],
] as const)
  test(`a dial to a server that ${title} fails with ${reason}, and the error names the address`, async (t) => {
    const address = await rawServer(t, (socket) =>
      answer === undefined ? socket.end() : socket.write(answer),
    );
    const error = await rejection(dial(address));
    t.is(error.reason, reason);
    t.true(error.message.includes(address), error.message);
  });

test('with tls, an address without TLS is not dialed', async (t) => {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await selfSigned(identity) };
  const layer = createWsStreamLayer({ tls });
  const error = await rejection(layer.dial('ws://127.0.0.1:1/', { timeout: 10_000 }));
  t.is(error.code, 'invalid_argument');
  t.regex(error.message, /dials only 'wss:/);
});

test('wss:// to a port without TLS is refused as another protocol', async (t) => {
  const { layer } = await accepted(t);
  const error = await rejection(dial(layer.localAddr().replace('ws:', 'wss:')));
  t.is(error.reason, 'wrong_preamble');
});

test('a host without an address is host_not_found', async (t) => {
  t.is((await rejection(dial('ws://nobody.invalid:7000/'))).reason, 'host_not_found');
});

test('a dial to a server that never answers fails with dial_timeout, and its socket is closed', async (t) => {
  const clock = createManualClock();
  const reached = deferred<Socket>();
  const address = await rawServer(t, (socket) => reached.resolve(socket));
  const dial = rejection(createWsStreamLayer({ clock }).dial(address, { timeout: 300 }));
  const gone = once(await reached.promise, 'close');
  clock.advance(300);
  t.is((await dial).reason, 'dial_timeout');
  await gone;
  t.is(clock.timers, 0);
});

/** A masked binary message without content. */
const EMPTY_MESSAGE = Buffer.from([0x82, 0x80, 0, 0, 0, 0]);

/** Returns a listening layer with one client of plain `ws` connected. */
async function accepted(t: ExecutionContext, clock?: Clock, server?: HttpServer) {
  const layer = createWsStreamLayer({ clock, server });
  const sinks: Recorder[] = [];
  let taken = 0;
  let wake = () => {};
  await layer.listen((connection) => {
    sinks.push(new Recorder(connection));
    wake();
  });
  const next = (): Promise<Recorder> =>
    new Promise((resolve) => {
      const n = taken++;
      wake = () => sinks[n] !== undefined && resolve(sinks[n]);
      wake();
    });
  const peer = new WebSocket(layer.localAddr(), 'trunkline.v1', {
    perMessageDeflate: false,
    rejectUnauthorized: false,
  });
  peer.on('error', () => {});
  t.teardown(() => {
    peer.terminate();
    for (const { connection } of sinks) connection.destroy();
    return layer.close();
  });
  await once(peer, 'open');
  return { layer, peer, sink: await next(), next, count: () => sinks.length };
}

/** Returns both ends of a connection whose client has performed the upgrade by hand. */
async function upgraded(
  t: ExecutionContext,
  clock?: Clock,
  pipelined?: readonly number[],
  server?: HttpServer,
) {
  const { layer, next } = await accepted(t, clock, server);
  const socket = await rawUpgrade(t, layer.localAddr(), pipelined);
  return { socket, sink: await next() };
}

/** Returns a client that performs the upgrade by hand and may then send any bytes. */
async function rawUpgrade(
  t: ExecutionContext,
  address: string,
  pipelined: readonly number[] = [],
): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  t.teardown(() => void socket.destroy());
  const head =
    'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: trunkline.v1\r\n\r\n';
  socket.write(Buffer.concat([Buffer.from(head), Buffer.from(pipelined)]));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  t.regex(
    answer.toString('latin1'),
    /^HTTP\/1\.1 101 [\s\S]*Sec-WebSocket-Protocol: trunkline\.v1\r\n/,
  );
  return socket;
}

/**
 * Starts a plain TCP server whose callback receives each upgrade request's socket and the correct
 * accept key.
 */
async function rawServer(
  t: ExecutionContext,
  serve: (socket: Socket, accept: string) => unknown,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (request: Buffer) => {
      const key = /Sec-WebSocket-Key: (\S+)/i.exec(request.toString('latin1'))?.[1] ?? '';
      serve(
        socket,
        createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Counts the turns of the event loop from `start` to the end of a connection. */
function countTurns(sink: Recorder) {
  const turns = {
    count: 0,
    start() {
      turns.count++;
      if (sink.ends === 0) setImmediate(turns.start);
    },
  };
  return turns;
}

/** Collects everything that arrives until the other end closes. */
async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => socket.end());
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
