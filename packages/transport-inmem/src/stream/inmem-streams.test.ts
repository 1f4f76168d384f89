// Tests that are specific to in-memory streams. The rules of every stream layer are in
// stream-layer.test.ts.

import { bytes, defineProtocol, systemClock, type TransportError } from '@trunkline/transport-core';
import { NetworkTransport, type StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import { Recorder } from '@trunkline/transport-testkit/internal';
import test from 'ava';
import { createInmemStreams } from './inmem-streams.ts';

test('two registries are independent', async (t) => {
  const one = createInmemStreams();
  const other = createInmemStreams();
  await one.layer('n1').listen(() => {});
  await other.layer('n1').listen(() => {});
  const dial = createInmemStreams().layer().dial('inmem://n1', { timeout: 1_000 });
  t.is((await t.throwsAsync<TransportError>(dial))!.reason, 'connection_refused');
});

test('an address is accepted with or without its scheme, and reported with it', async (t) => {
  const streams = createInmemStreams();
  const layer = streams.layer('node-1');
  await layer.listen(() => {});
  t.is(layer.localAddr(), 'inmem://node-1');
  t.is((await streams.layer().dial('node-1', { timeout: 1_000 })).endpoint, 'inmem://node-1');
});

test('the default name is random, and the same for the same seed', async (t) => {
  const names = await Promise.all(
    [1, 1, 2].map(async (seed) => {
      const layer = createInmemStreams({ random: seededRandom(seed) }).layer();
      await layer.listen(() => {});
      return layer.localAddr();
    }),
  );
  t.regex(
    names[0]!,
    /^inmem:\/\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  t.is(names[0], names[1]);
  t.not(names[0], names[2]);
});

test('a malformed name is refused when its layer is created', (t) => {
  t.throws(() => createInmemStreams().layer('inmem://a/b'), { code: 'invalid_argument' });
});

test('a dial that is aborted while the other end accepts hands its end to its caller', async (t) => {
  const streams = createInmemStreams();
  const controller = new AbortController();
  let far!: Recorder;
  await streams.layer('server').listen((connection) => {
    far = new Recorder(connection);
    controller.abort();
  });
  const { signal } = controller;
  (await streams.layer().dial('server', { timeout: 1_000, signal })).destroy();
  await far.ended();
  t.pass();
});

test('a snapshot shows 0 bytes for a connection without traffic', async (t) => {
  const streams = createInmemStreams();
  const silent = streams.layer('silent');
  let accepted: StreamConnection | undefined;
  await silent.listen((connection) => void (accepted = connection));
  const protocol = defineProtocol({
    name: 'silence',
    methods: { echo: { id: 1, request: bytes, response: bytes } },
  });
  const transport = new NetworkTransport({ protocol, stream: streams.layer('n1') });
  const sent = transport
    .send('inmem://silent', 'echo', new Uint8Array(1))
    .catch((error: TransportError) => error);
  while (transport.snapshot().connections.length === 0) await turn();
  t.is(transport.snapshot().connections[0]!.bytes.in, 0);
  accepted!.destroy();
  await transport.close();
  await silent.close();
  t.true((await sent) instanceof Error);
});

test('a write returns false beyond the capacity, and drained comes at half of it', async (t) => {
  const { near, far } = await pair(createInmemStreams({ capacity: 1_000 }));
  far.connection.pause();
  for (const size of [400, 600]) t.true(near.connection.write(new Uint8Array(size)));
  t.false(near.connection.write(new Uint8Array(1)));
  await ticks(5);
  t.is(near.drains, 0);
  far.onData = () => far.connection.pause();
  far.connection.resume();
  while (far.size === 0) await turn();
  await ticks(5);
  t.is(near.drains, 0, '601 bytes are unread');
  far.onData = undefined;
  far.connection.resume();
  while (near.drains === 0) await turn();
  await ticks(5);
  t.is(near.drains, 1);
  t.is(far.size, 1_001);
});

test('data written in one tick is delivered in one turn, before any timer runs', async (t) => {
  const { near, far } = await pair(createInmemStreams());
  const order: string[] = [];
  const timer = systemClock.sleep(0).then(() => order.push('timer'));
  far.onData = () => void order.push('data');
  for (let i = 0; i < 3; i++) near.connection.write(new Uint8Array(1));
  await timer;
  t.deepEqual(order, ['data', 'data', 'data', 'timer']);
});

test('two ends that answer each other forever leave time for timers and sockets', async (t) => {
  const { near, far } = await pair(createInmemStreams());
  let rounds = 0;
  far.onData = () => void far.connection.write(new Uint8Array(1));
  near.onData = () => {
    rounds++;
    near.connection.write(new Uint8Array(1));
  };
  near.connection.write(new Uint8Array(1));
  // These sleeps never end if the two ends starve timers.
  for (let i = 0; i < 5; i++) await systemClock.sleep(1);
  near.connection.destroy();
  await far.ended();
  t.true(rounds > 100);
});

test('a closed connection leaves no timer, however long it was busy', async (t) => {
  const clock = createManualClock();
  const { near, far } = await pair(createInmemStreams({ clock }));
  for (let i = 0; i < 50; i++) {
    near.connection.write(new Uint8Array(1));
    clock.advance(7);
    await ticks(3);
  }
  t.is(far.size, 50);
  near.connection.close();
  await Promise.all([near.ended(), far.ended()]);
  t.is(clock.timers, 0);
});

test('an invalid capacity throws a TypeError', (t) => {
  t.throws(() => createInmemStreams({ capacity: 0 }), {
    instanceOf: TypeError,
    message: /capacity/,
  });
});

async function pair(streams: ReturnType<typeof createInmemStreams>) {
  let far!: Recorder;
  const layer = streams.layer();
  await layer.listen((connection) => {
    far = new Recorder(connection);
  });
  const near = new Recorder(await streams.layer().dial(layer.localAddr(), { timeout: 1_000 }));
  return { near, far };
}

/**
 * Waits for a turn of the event loop. Ends that were busy for ten milliseconds wait for such a
 * turn; waiting in ticks would keep the turn from coming.
 */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for `count` rounds of deferred callbacks, of any clock. */
async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => systemClock.defer(resolve));
}
