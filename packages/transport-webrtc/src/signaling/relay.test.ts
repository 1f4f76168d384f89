// Tests of streams that the hub relays.

import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { Recorder } from '@trunkline/transport-testkit/internal';
import test from 'ava';
import { rejection } from '../testing/rejection.ts';
import { hubFixture } from './testing/nodes.ts';

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
  const [near, far] = [new Recorder(dialed), new Recorder(accepted)];
  const long = new Uint8Array(200_000).map((_, i) => i);
  dialed.write(long);
  await far.until(() => far.size >= long.length);
  t.deepEqual(far.bytes(), long);
  accepted.write(new Uint8Array([1, 2, 3]));
  await near.until(() => near.size >= 3);
  t.deepEqual(near.bytes(), new Uint8Array([1, 2, 3]));
  t.is(hub.snapshot().relays, 1);
  dialed.close();
  await far.ended();
  t.is(far.error, undefined);
  accepted.close();
  await near.ended();
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
    const [near, far] = [new Recorder(ends.dialed), new Recorder(ends.accepted)];
    (ender === 'dialed' ? ends.dialed : ends.accepted).destroy();
    await Promise.all([near.ended(), far.ended()]);
  }
  while (hub.snapshot().relays > 0) await new Promise((resolve) => setImmediate(resolve));
  t.pass();
});

test('a hub does not relay unless it is told to', async (t) => {
  const off = await hubFixture(t);
  const far = off.node({ relay: true });
  await far.listen(() => {});
  const dial = off.node({ relay: true }).relay!.dial(far.nodeId, DIAL);
  t.is((await rejection(dial)).code, 'unimplemented');
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
  const accepted: Recorder[] = [];
  await bob.relay!.listen((connection) => accepted.push(new Recorder(connection)));
  await bob.listen(() => {});
  const first = new Recorder(await ada.relay!.dial(bob.nodeId, DIAL));
  await ada.relay!.dial(bob.nodeId, DIAL);
  await cyd.relay!.dial(bob.nodeId, DIAL);
  await first.ended();
  t.is(first.error?.reason, 'reset');
  await accepted[0]!.ended();
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
  const far = new Recorder(await accepting);
  const near = new Recorder(dialed);
  const long = new Uint8Array(4 * rate);
  near.connection.write(long);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.true(far.size < rate, 'the handshake was part of the burst');
  let seconds = 0;
  while (far.size < long.length) {
    clock.advance(100);
    seconds += 0.1;
    await new Promise((resolve) => setTimeout(resolve, 2));
    t.true(far.size <= (1 + seconds) * rate);
  }
  t.deepEqual(far.bytes(), long);
});
