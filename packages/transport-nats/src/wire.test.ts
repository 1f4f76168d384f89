// Tests of the bytes on the wire, against a client that is written from docs/wire-nats.md.

import type { Msg } from '@nats-io/nats-core';
import { startNatsServer } from '@trunkline/local-nats';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { Recorder } from '@trunkline/transport-testkit/internal';
import type { ExecutionContext } from 'ava';
import { createNatsStreamLayer } from './nats.ts';
import type { NatsStreamLayerOptions } from './nats-options.ts';
import { serverOfFile, natsTest as test } from './testing/server.ts';
import {
  ACCEPT,
  CONFIRM,
  CREDIT,
  DATA,
  END,
  REFUSE,
  RESET,
  type Stranger,
  stranger,
  type WireMessage,
} from './testing/stranger.ts';

const shared = (await serverOfFile())!;

test('the handshake: request, accept, confirm with the first bytes, credit', async (t) => {
  const { peer, connection, sink } = await meet(t, 'greeting');
  const [accept, credit] = peer.inbox;
  t.like(accept, { number: 0, type: ACCEPT });
  const { cookie, ...rest } = jsonOf(accept);
  t.deepEqual(rest, { version: 1, max: 66_560 });
  t.regex(cookie as string, /^[0-9a-f]{32}$/);
  t.regex(accept!.reply, /^trunkline\.default\.in\.greeting\.[A-Za-z0-9]{22}$/);
  t.like(credit, { number: 1, type: CREDIT });
  t.deepEqual([...credit!.content], [0, 4, 0, 0]);
  t.regex(credit!.reply, /^trunkline\.default\.in\.greeting\.[A-Za-z0-9]{22}$/);
  t.not(credit!.reply, accept!.reply);
  t.is(connection.endpoint, 'nats://stranger');
  await sink.until(() => sink.size === 1);
  t.deepEqual([...sink.bytes()], [9]);
});

test('a confirmation that is wrong, empty, foreign or late takes no place', async (t) => {
  const clock = createManualClock();
  await listening(t, 'guarded', () => t.fail('it was accepted'), { clock });
  const other = await stranger(t, shared.address);
  other.request('guarded');
  await other.until(() => other.inbox.length === 1);
  const terms = { version: 1, credit: 32_768, max: 65_536 };
  const { cookie } = jsonOf(other.inbox[0]);
  for (const [change, first, reason, says] of [
    [{}, [], 'malformed', /has 0 bytes of the stream, not 1 to 32512/],
    [{ credit: 10 }, [1], 'malformed', /grants 10 of credit/],
    [{ max: undefined }, [1], 'malformed', /takes messages of undefined bytes/],
    [{ version: 2 }, [1], 'malformed', /version 2, not 1/],
    [{ cookie: 7 }, [1], 'malformed', /cookie is not a text/],
    [{ cookie }, [1], 'handshake_timeout', /not valid, or has expired/],
    [{}, [1], 'handshake_timeout', /not valid, or has expired/],
  ] as const) {
    const peer = await stranger(t, shared.address);
    peer.request('guarded');
    await peer.until(() => peer.inbox.length === 1);
    if (says.source.includes('expired')) clock.advance(10_000);
    peer.confirm({ ...terms, ...change }, new Uint8Array(first));
    await peer.until(() => peer.inbox.length === 2);
    t.like(peer.inbox[1], { number: 1, type: REFUSE });
    t.is(jsonOf(peer.inbox[1]).reason, reason);
    t.regex(jsonOf(peer.inbox[1]).message as string, says);
  }
  t.is(clock.timers, 0);
});

test('a dial that is not confirmed leaves nothing at the acceptor', async (t) => {
  const clock = createManualClock();
  await listening(t, 'patient', () => t.fail('nobody confirmed'), { clock });
  const peer = await stranger(t, shared.address);
  for (let i = 0; i < 300; i++) peer.request('patient');
  await peer.until(() => peer.inbox.length === 300);
  t.true(peer.inbox.every(({ type }) => type === ACCEPT));
  t.is(clock.timers, 0);
});

test('a dialer sends its first bytes with the confirmation, and the rest later', async (t) => {
  const peer = await stranger(t, shared.address);
  const near = createNatsStreamLayer({ node: 'dialer' });
  t.teardown(() => near.close());
  const request = requestAt(peer, 'plain');
  await peer.nats.flush();
  const dial = near.dial(`nats://${shared.address}/plain`, { timeout: 20_000 });
  const requested = await request;
  t.is(new TextDecoder().decode(requested.data), '{"version":1}');
  peer.peer = requested.reply!;
  peer.send(ACCEPT, new TextEncoder().encode('{"version":1,"max":2000,"cookie":"Ab-1"}'));
  const connection = await dial;
  t.teardown(() => connection.destroy());
  const sink = new Recorder(connection);
  t.false(connection.write(new Uint8Array(2_500).fill(7)));
  await peer.until(() => peer.inbox.length === 1);
  const { number, type, content, reply } = peer.inbox[0]!;
  t.deepEqual([number, type, reply], [0, CONFIRM, requested.reply]);
  const length = (content[0]! << 8) | content[1]!;
  t.deepEqual(JSON.parse(new TextDecoder().decode(content.subarray(2, 2 + length))), {
    version: 1,
    max: 66_560,
    cookie: 'Ab-1',
    credit: 262_144,
  });
  const first = content.subarray(2 + length);
  t.deepEqual([content.length, first[0]], [2_000 - 5, 7]);
  peer.send(CREDIT, uint32(32_768));
  await peer.until(() => peer.received === 2_500 - first.length);
  t.is(peer.inbox[1]!.number, 1);
  await sink.until(() => sink.drains === 1);
});

test('each message has the next number, and the content of a write', async (t) => {
  const { peer, connection, sink } = await meet(t, 'numbers');
  connection.write(new Uint8Array([1, 2, 3]));
  connection.write(new Uint8Array([4]));
  await peer.until(() => peer.inbox.length === 4);
  t.deepEqual(
    peer.inbox.slice(2).map(({ number, type, content }) => [number, type, [...content]]),
    [
      [2, DATA, [1, 2, 3]],
      [3, DATA, [4]],
    ],
  );
  peer.send(DATA, new Uint8Array([5, 6]));
  peer.send(DATA, new Uint8Array([7]));
  await sink.until(() => sink.size === 4);
  t.deepEqual([...sink.bytes()], [9, 5, 6, 7]);
});

test('an end is answered by an end, and then the subject is free', async (t) => {
  const { peer, sink } = await meet(t, 'ends');
  peer.send(DATA, new Uint8Array([1]));
  peer.send(END);
  await sink.ended();
  t.is(sink.error, undefined);
  await peer.until(() => peer.inbox.some(({ type }) => type === END));
  peer.send(DATA, new Uint8Array([1]));
  await peer.until(() => peer.absences > 0);
  t.pass();
});

test('an end with content, and messages after an end, end the connection', async (t) => {
  const wrong: [number, number][][] = [
    [[END, 1]],
    [
      [END, 0],
      [END, 0],
    ],
    [
      [END, 0],
      [DATA, 1],
    ],
  ];
  for (const [at, messages] of wrong.entries()) {
    const { peer, connection, sink } = await meet(t, `wrong-end-${at}`);
    connection.pause();
    for (const [type, length] of messages) peer.send(type, new Uint8Array(length));
    await sink.ended();
    t.is(sink.error?.reason, 'malformed');
  }
});

test('a reset ends the connection at once', async (t) => {
  const { peer, sink } = await meet(t, 'resets');
  peer.send(RESET);
  await sink.ended();
  t.is(sink.error?.reason, 'reset');
});

test('a writer spends the credit that it was granted, and no more', async (t) => {
  const { peer, connection, sink } = await meet(t, 'credit');
  t.false(connection.write(new Uint8Array(200_000)));
  await flushed(peer);
  // One message has 256 units of overhead.
  t.true(peer.received <= 32_768 - 256, `${peer.received} bytes came`);
  t.true(peer.received > 20_000, `${peer.received} bytes came`);
  let granted = 0;
  while (peer.received < 200_000) {
    const before = peer.received;
    granted += 20_000;
    peer.send(CREDIT, uint32(20_000));
    await peer.until(() => peer.received > before || granted > 400_000);
    t.true(peer.received <= 32_768 + granted);
  }
  await sink.until(() => sink.drains === 1);
  t.is(peer.received, 200_000);
});

test('a message ends between frames if it can, and a header stays with its payload', async (t) => {
  const { peer, connection } = await meet(t, 'whole', {}, shared.address, {
    credit: 524_288,
    max: 66_560,
  });
  const item = [new Uint8Array(14), new Uint8Array(60_000)];
  connection.writeAll!([...item, ...item, new Uint8Array(100_000), ...item]);
  await peer.until(() => peer.received === 280_042);
  t.deepEqual(
    peer.inbox.filter(({ type }) => type === DATA).map(({ content }) => content.length),
    [60_014, 60_014, 66_555, 33_445, 60_014],
  );
});

test('a reader grants credit for what it took, and only then', async (t) => {
  const { peer, connection } = await meet(t, 'reader');
  connection.pause();
  for (let i = 0; i < 9; i++) peer.send(DATA, new Uint8Array(8_000));
  await flushed(peer);
  t.is(peer.inbox.filter(({ type }) => type === CREDIT).length, 1);
  connection.resume();
  const granted = () =>
    peer.inbox
      .slice(2)
      .filter(({ type }) => type === CREDIT)
      .reduce((sum, { content }) => sum + new DataView(content.buffer).getUint32(0), 0);
  await peer.until(() => granted() > 0);
  t.true(granted() >= 64_000);
});

test('a peer that sends more than its credit is disconnected', async (t) => {
  const { peer, connection, sink } = await meet(t, 'greedy');
  connection.pause();
  for (let i = 0; i < 33; i++) peer.send(DATA, new Uint8Array(8_000));
  await sink.ended();
  t.is(sink.error?.code, 'resource_exhausted');
  await peer.until(() => peer.inbox.some(({ type }) => type === RESET));
});

test('many tiny messages cost credit, too', async (t) => {
  const { peer, connection, sink } = await meet(t, 'tiny');
  connection.pause();
  for (let i = 0; i < 1_100; i++) peer.send(DATA, new Uint8Array(1));
  await sink.ended();
  t.is(sink.error?.code, 'resource_exhausted');
});

test('a probe with content ends the connection, also while it is paused', async (t) => {
  const { peer, connection, sink } = await meet(t, 'probed');
  await sink.until(() => sink.size === 1);
  connection.pause();
  peer.send(7, new Uint8Array(1));
  await sink.ended();
  t.is(sink.error?.reason, 'malformed');
  t.is(sink.size, 1);
});

test('wrong grants of credit end the connection', async (t) => {
  // The connection already has credit, so 64 MiB more are above the limit, too.
  const wrong = [new Uint8Array(3), uint32(0), uint32(2 ** 31), uint32(64 * 1024 * 1024)];
  for (const [at, content] of wrong.entries()) {
    const { peer, sink } = await meet(t, `generous-${at}`);
    peer.send(CREDIT, content);
    await sink.ended();
    t.is(sink.error?.reason, 'malformed');
  }
});

test('a wrong request is refused with a text that says what is wrong', async (t) => {
  const layer = await listening(t, 'strict', () => {});
  t.truthy(layer);
  for (const [terms, says] of [
    [{ version: 2 }, /version 2, not 1/],
    [{}, /version undefined/],
  ] as const) {
    const peer = await stranger(t, shared.address);
    peer.request('strict', terms);
    await peer.until(() => peer.inbox.length === 1);
    t.is(peer.inbox[0]!.type, REFUSE);
    const { reason, message } = jsonOf(peer.inbox[0]);
    t.is(reason, 'malformed');
    t.regex(message as string, says);
  }
});

test('messages are no longer than what the peer and the server take', async (t) => {
  const server = await startNatsServer({ config: 'max_payload: 5000' });
  t.teardown(() => server.kill());
  const { peer, connection } = await meet(t, 'short', {}, server.address);
  connection.write(new Uint8Array(20_000));
  await peer.until(() => peer.received === 20_000);
  const lengths = peer.inbox.slice(2).map(({ content }) => content.length + 5);
  t.is(Math.max(...lengths), 5_000);
  const other = await meet(t, 'shorter', {}, shared.address, { max: 2_000 });
  other.connection.write(new Uint8Array(20_000));
  await other.peer.until(() => other.peer.received === 20_000);
  t.is(Math.max(...other.peer.inbox.slice(2).map(({ content }) => content.length + 5)), 2_000);
});

test('when the credit of all connections is taken, further dials are refused as full', async (t) => {
  const sinks: Recorder[] = [];
  await listening(t, 'crowded', (connection) => sinks.push(new Recorder(connection)), {
    maxPending: 1024 * 1024,
  });
  const peers: Stranger[] = [];
  // Two connections get 256 KiB each, and sixteen get the minimum.
  for (let i = 0; i < 19; i++) {
    const peer = await stranger(t, shared.address);
    peers.push(peer);
    await peer.dial('crowded');
  }
  t.is(peers.filter((peer) => peer.inbox[1]!.type === CREDIT).length, 18);
  t.is(jsonOf(peers.at(-1)!.inbox[1]).reason, 'full');
  peers[0]!.send(RESET);
  await sinks[0]!.ended();
  const late = await stranger(t, shared.address);
  await late.dial('crowded');
  t.is(late.inbox[1]!.type, CREDIT);
});

test('a dial that reaches a node that has just stopped listening turns to another', async (t) => {
  const leaving = await stranger(t, shared.address);
  const name = 'stopped';
  const request = requestAt(leaving, name);
  await leaving.nats.flush();
  const near = createNatsStreamLayer();
  t.teardown(() => near.close());
  const dial = near.dial(`nats://${shared.address}/${name}`, { timeout: 20_000 });
  leaving.peer = (await request).reply!;
  await listening(t, name, () => {});
  leaving.send(REFUSE, new TextEncoder().encode('{"reason":"closed","message":"it left"}'));
  (await dial).destroy();
  t.is(leaving.absences, 0);
});

test('a request that reaches a node while it stops listening is refused, not lost', async (t) => {
  const peer = await stranger(t, shared.address);
  const layer = await listening(t, 'stopping', () => {});
  peer.request('stopping');
  // The server handles the request before it handles what the layer sends after this.
  await peer.nats.flush();
  await layer.close();
  await peer.until(() => peer.inbox.length > 0);
  t.true([ACCEPT, REFUSE].includes(peer.inbox[0]!.type));
  if (peer.inbox[0]!.type === REFUSE)
    t.is(JSON.parse(new TextDecoder().decode(peer.inbox[0]!.content)).reason, 'closed');
});

test('a layer that is stopped while it begins to listen takes no dials', async (t) => {
  const layer = createNatsStreamLayer({ bindAddr: `nats://${shared.address}/early` });
  t.teardown(() => layer.close());
  const listens = layer.listen(() => t.fail('it was accepted'));
  layer.stopListening!();
  await t.throwsAsync(listens, { code: 'shutdown' });
  const dial = layer.dial(`nats://${shared.address}/early`, { timeout: 20_000 });
  t.like(await t.throwsAsync(dial), { reason: 'connection_refused' });
});

/** A layer that listens, a stranger that has dialed it, and the connection with a sink. */
async function meet(
  t: ExecutionContext,
  name: string,
  options: NatsStreamLayerOptions = {},
  server = shared.address,
  terms: object = {},
) {
  const peer = await stranger(t, server);
  let sink!: Recorder;
  const accept = (accepted: StreamConnection) => (sink = new Recorder(accepted));
  await listening(t, name, accept, options, server);
  await peer.dial(name, { version: 1, credit: 32_768, max: 65_536, ...terms });
  return { peer, sink, connection: sink.connection };
}

async function listening(
  t: ExecutionContext,
  name: string,
  accept: (connection: StreamConnection) => unknown,
  options: NatsStreamLayerOptions = {},
  server = shared.address,
) {
  const layer = createNatsStreamLayer({ ...options, bindAddr: `nats://${server}/${name}` });
  const connections: StreamConnection[] = [];
  t.teardown(async () => {
    for (const connection of connections) connection.destroy();
    await layer.close();
  });
  await layer.listen((connection) => {
    connections.push(connection);
    accept(connection);
  });
  return layer;
}

/** Resolves to the first request to dial a name that reaches the stranger. */
function requestAt(peer: Stranger, name: string): Promise<Msg> {
  return new Promise((resolve) => {
    peer.nats.subscribe(`trunkline.default.dial.${name}`, {
      queue: 'trunkline',
      max: 1,
      callback: (_error, message) => resolve(message),
    });
  });
}

function jsonOf(message: WireMessage | undefined): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(message!.content));
}

/** Resolves when both ends have seen everything that has been published so far. */
async function flushed(peer: Stranger): Promise<void> {
  for (let i = 0; i < 3; i++) await peer.nats.flush();
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
