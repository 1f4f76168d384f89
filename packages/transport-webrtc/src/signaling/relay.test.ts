// Tests of streams that the hub relays.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { hubFixture, rejection } from './testing/nodes.ts';

const DIAL = { timeout: 5_000 };

test('a relayed stream carries bytes both ways, under noise, and says that it is relayed', async (t) => {
  const { node, hub } = await hubFixture(t, { relay: {} });
  const [ada, bob] = [node({ relay: true }), node({ relay: true })];
  const accepting = new Promise<StreamConnection>((resolve) => void bob.relay!.listen(resolve));
  await bob.listen(() => {});
  const dialed = await ada.relay!.dial(bob.nodeId, { ...DIAL, nodeId: bob.nodeId });
  const accepted = await accepting;
  t.is(dialed.endpoint, `relay:${bob.nodeId}`);
  t.is(dialed.nodeId, bob.nodeId);
  t.is(accepted.nodeId, ada.nodeId);
  const [near, far] = [reader(dialed), reader(accepted)];
  const long = new Uint8Array(200_000).map((_, i) => i);
  dialed.write(long);
  t.deepEqual(await far.read(long.length), long);
  accepted.write(new Uint8Array([1, 2, 3]));
  t.deepEqual(await near.read(3), new Uint8Array([1, 2, 3]));
  t.is(hub.snapshot().relays, 1);
  dialed.close();
  t.is(await far.closed, undefined);
  accepted.close();
  await near.closed;
  while (hub.snapshot().relays > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('the destruction of one end of a relayed stream ends the other', async (t) => {
  const { node, hub } = await hubFixture(t, { relay: {} });
  const [ada, bob] = [node({ relay: true }), node({ relay: true })];
  let accept: (connection: StreamConnection) => void = () => {};
  await bob.relay!.listen((connection) => accept(connection));
  await bob.listen(() => {});
  for (const ender of ['dialed', 'accepted']) {
    const accepting = new Promise<StreamConnection>((resolve) => {
      accept = resolve;
    });
    const ends = { dialed: await ada.relay!.dial(bob.nodeId, DIAL), accepted: await accepting };
    const [near, far] = [reader(ends.dialed), reader(ends.accepted)];
    (ender === 'dialed' ? ends.dialed : ends.accepted).destroy();
    await Promise.all([near.closed, far.closed]);
  }
  while (hub.snapshot().relays > 0) await new Promise((resolve) => setImmediate(resolve));
  t.pass();
});

test('a hub does not relay unless it is told to, nor more than its limits', async (t) => {
  const off = await hubFixture(t);
  const far = off.node({ relay: true });
  await far.listen(() => {});
  t.is(
    (await rejection(off.node({ relay: true }).relay!.dial(far.nodeId, DIAL))).code,
    'unimplemented',
  );
});

test('a node has at most its number of relayed streams', async (t) => {
  const { node } = await hubFixture(t, { relay: { streamsPerNode: 1 } });
  const [ada, bob] = [node({ relay: true }), node({ relay: true })];
  await bob.relay!.listen(() => {});
  await bob.listen(() => {});
  await ada.relay!.dial(bob.nodeId, DIAL);
  t.is((await rejection(ada.relay!.dial(bob.nodeId, DIAL))).code, 'resource_exhausted');
});

test('if all streams are taken, the oldest of the node with most ends at both of its ends', async (t) => {
  const { node, hub } = await hubFixture(t, { relay: { streams: 2 } });
  const [ada, bob, cyd] = [node({ relay: true }), node({ relay: true }), node({ relay: true })];
  const accepted: ReturnType<typeof reader>[] = [];
  await bob.relay!.listen((connection) => accepted.push(reader(connection)));
  await bob.listen(() => {});
  const first = reader(await ada.relay!.dial(bob.nodeId, DIAL));
  await ada.relay!.dial(bob.nodeId, DIAL);
  await cyd.relay!.dial(bob.nodeId, DIAL);
  t.is(((await first.closed) as TransportError).reason, 'reset');
  await accepted[0]!.closed;
  t.is(hub.snapshot().relays, 2);
  t.is((await rejection(cyd.relay!.dial(bob.nodeId, DIAL))).code, 'resource_exhausted');
});

test('a node that is away or not listening refuses relayed streams', async (t) => {
  const { node } = await hubFixture(t, { relay: {} });
  const [ada, bob] = [node({ relay: true }), node({ relay: true })];
  t.is((await rejection(ada.relay!.dial(bob.nodeId, DIAL))).reason, 'connection_refused');
  await bob.listen(() => {});
  t.is((await rejection(ada.relay!.dial(bob.nodeId, DIAL))).reason, 'connection_refused');
  t.is((await rejection(ada.relay!.dial('bob', DIAL))).code, 'invalid_argument');
});

test('a relayed stream carries at most its bytes per second, after a burst of one second', async (t) => {
  const clock = createManualClock();
  const rate = 65_536;
  const { node } = await hubFixture(t, { relay: { rate } }, clock);
  const [ada, bob] = [node({ relay: true }), node({ relay: true })];
  const accepting = new Promise<StreamConnection>((resolve) => void bob.relay!.listen(resolve));
  await bob.listen(() => {});
  const dialed = await ada.relay!.dial(bob.nodeId, DIAL);
  const far = reader(await accepting);
  reader(dialed);
  const long = new Uint8Array(4 * rate);
  dialed.write(long);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.true(far.size() < rate, 'the handshake was part of the burst');
  let seconds = 0;
  while (far.size() < long.length) {
    clock.advance(100);
    seconds += 0.1;
    await new Promise((resolve) => setTimeout(resolve, 2));
    t.true(far.size() <= (1 + seconds) * rate);
  }
  t.deepEqual(await far.read(long.length), long);
});

/** Reads a connection. */
function reader(connection: StreamConnection) {
  let bytes = new Uint8Array(0);
  let wake = () => {};
  let end: (error?: Error) => void = () => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    end = resolve;
  });
  connection.attach({
    data(chunk) {
      const joined = new Uint8Array(bytes.length + chunk.length);
      joined.set(bytes);
      joined.set(chunk, bytes.length);
      bytes = joined;
      wake();
    },
    frames() {},
    drained() {},
    closed: (error) => end(error),
  });
  return {
    closed,
    size: () => bytes.length,
    async read(length: number) {
      while (bytes.length < length)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return bytes;
    },
  };
}
