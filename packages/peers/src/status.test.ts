// Tests of the statuses of nodes: they are numbered, pulled when the number is new, and dropped
// when their node is gone.

import type { Simulation } from '@trunkline/simulation';
import { json } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import type { PeersOptions } from './options.ts';
import { encodeStatus } from './protocol.ts';
import { boot, cluster, idOf, mesh, type TestNode } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, test } from './testing/runs.ts';

const status = json(z.object({ height: z.number(), note: z.optional(z.string()) }));
const passive: Partial<PeersOptions> = { maxOutbound: 0, status };
const statusOf = (node: TestNode | undefined, name: string) =>
  node?.peers.status.of(idOf(name)) as { height: number; note?: string } | undefined;
const bytesOf = (value: { height: number; note?: string }) => status.encode(value);
const heightOf = (height: number) => encodeStatus(height, bytesOf({ height }));
const garbageOf = (seq: number) => encodeStatus(seq, new TextEncoder().encode(`[[[${seq}`));

/** Options of the nodes a and b, of which a dials b. */
const peers = (name: string) => ({ ...passive, persistent: name === 'a' ? ['b'] : [] });

/** Starts a, and a raw peer that is linked to it and answers pulls with `own`. */
async function withRaw(sim: Simulation, own: () => Uint8Array | undefined, given = passive) {
  const [a] = await boot(sim, ['a'], { peers: given });
  const peer = rawPeer(sim, 'peer', { status: own });
  const remote = await sim.settle(peer.transport.dial('a'));
  const say = (seq: number) => peer.words.trySend(remote, 'status', { seq });
  const scored = () => a.peers.get(peer.nodeId)!.score;
  return { a, say, scored, pulls: () => countReceived(peer, 'pull') };
}

test('a status reaches every peer soon, each change once, including peers that connect later', async (t, sim) => {
  const [a, b, c, late] = await boot(sim, ['a', 'b', 'c', 'late'], {
    peers: (name) => ({ ...passive, persistent: name === 'a' || name === 'late' ? [] : ['a'] }),
  });
  await sim.until(() => a.peers.list().length === 2);
  const reach = (height: number | undefined, ...nodes: TestNode[]) =>
    sim.until(() => nodes.every((node) => statusOf(node, 'a')?.height === height), 3_000);
  a.peers.status.set({ height: 1 });
  await reach(1, b, c);
  await sim.run(20_000);
  a.peers.status.set({ height: 1 });
  await sim.run(20_000);
  a.peers.status.set({ height: 2 });
  await reach(2, b, c);
  for (const node of [b, c]) {
    const told = eventsOf(node, 'status').map((event) => [event.nodeId, event.status]);
    const expected = [1, 2].map((height) => [idOf('a'), { height }]);
    t.deepEqual(told, expected);
    t.deepEqual(node.peers.get(idOf('a'))!.status, { height: 2 });
  }
  late.peers.add('a');
  await reach(2, late);
  t.is(statusOf(a, 'b'), undefined, 'a node that set none has none');
  a.peers.status.set(undefined);
  await reach(undefined, b, c, late);
  const heard = eventsOf(b, 'status').map((event) => event.status);
  t.deepEqual(heard, [{ height: 1 }, { height: 2 }, undefined]);
});

test('a new peer gets the status at once, not at the next beat', async (t, sim) => {
  const [a, b] = await boot(sim, ['a', 'b'], { peers: { ...passive, statusInterval: 600_000 } });
  a.peers.status.set({ height: 1 });
  await sim.run(700_000);
  b.peers.add('a');
  await sim.until(() => statusOf(b, 'a')?.height === 1, 1_000);
  t.pass();
});

test('a node that restarts begins at one again and is believed; while it is away it has no status', async (t, sim, run) => {
  const nodes = cluster(sim, ['a', 'b'], { peers });
  await sim.until(() => nodes.size === 2 && nodes.get('a')!.peers.list().length === 1);
  const a = nodes.get('a')!;
  for (let height = 1; height <= 9; height++) {
    nodes.get('b')!.peers.status.set({ height });
    await sim.run(3_000);
  }
  t.is(statusOf(a, 'b')?.height, 9);
  nodes.delete('b');
  sim.crash('b', { power: run.seed % 2 === 0 ? 'lost' : 'kept' });
  await sim.run(run.seed === 3 ? 100 : 20_000);
  if (run.seed !== 3) t.is(statusOf(a, 'b'), undefined);
  sim.restart('b');
  await sim.until(() => nodes.has('b'), 1_000);
  nodes.get('b')!.peers.status.set({ height: 1 });
  await sim.until(() => statusOf(a, 'b')?.height === 1, 60_000);
});

test('a status that cannot be decoded causes one warning per number; the peer stays, loses trust, and its next status is used', async (t, sim) => {
  let own = garbageOf(1);
  const { a, say, scored } = await withRaw(sim, () => own);
  const tell = async (seq: number, given: Uint8Array) => {
    own = given;
    say(seq);
    await sim.run(1_000);
  };
  await sim.run(100);
  const before = scored();
  say(1);
  await tell(1, own);
  const [warning, ...others] = eventsOf(a, 'warning').map(({ error }) => error);
  t.like(warning, { code: 'invalid_argument', target: idOf('peer') });
  t.deepEqual(others, []);
  t.is(statusOf(a, 'peer'), undefined);
  t.true(scored() < before);
  await tell(2, heightOf(2));
  t.is(statusOf(a, 'peer')?.height, 2);
  await tell(3, garbageOf(3));
  t.is(statusOf(a, 'peer'), undefined, 'the earlier status is no longer its status');
  for (const garbage of [[], [0, 0, 0, 0], [0, 0, 0, 9, 7], [0, 0, 0, 9, 0, 1]])
    await tell(9, Uint8Array.from(garbage));
  await tell(10, heightOf(10));
  t.is(statusOf(a, 'peer')?.height, 10);
});

for (const [kind, most] of Object.entries({ readable: 64 + 105, 'not readable': 8 + 2 }))
  test(`a status that changes all the time is pulled now and then, hardly ever if it cannot be decoded; the last one counts: ${kind}`, async (t, sim) => {
    let seq = 0;
    let isGood = kind === 'readable';
    const { a, say, pulls } = await withRaw(sim, () => (isGood ? heightOf(seq) : garbageOf(seq)));
    const from = sim.now;
    while (sim.now < from + 10_000) {
      say(++seq);
      await sim.run(5);
    }
    t.true(pulls() <= most, `${pulls()} pulls, ${most} at most`);
    isGood = true;
    for (let i = 0; i < 10; i++) {
      await sim.run(2_000);
      say(seq);
    }
    t.is(statusOf(a, 'peer')?.height, seq);
  });

test('a status is limited to 64 KiB at both ends', async (t, sim) => {
  const [a, b] = await mesh(sim, ['a', 'b'], passive);
  const room = 65_536 - bytesOf({ height: 1, note: '' }).length;
  const note = 'x'.repeat(room);
  const tooLong = { height: 1, note: `${note}x` };
  t.throws(() => a.peers.status.set(tooLong), { code: 'resource_exhausted' });
  await sim.run(5_000);
  t.is(statusOf(b, 'a'), undefined);
  a.peers.status.set({ height: 1, note });
  await sim.until(() => statusOf(b, 'a') !== undefined, 5_000);
  t.is(statusOf(b, 'a')!.note!.length, room);
  const liar = rawPeer(sim, 'liar', { status: () => encodeStatus(1, bytesOf(tooLong)) });
  const remote = await sim.settle(liar.transport.dial('a'));
  liar.words.trySend(remote, 'status', { seq: 1 });
  await sim.run(5_000);
  t.deepEqual([countReceived(liar, 'pull'), statusOf(a, 'liar')], [1, undefined]);
});

test('without a codec there is no status: setting one throws, and no peer is asked for one', async (t, sim) => {
  const { a, say, pulls } = await withRaw(sim, () => heightOf(1), { maxOutbound: 0 });
  t.throws(() => a.peers.status.set({ height: 1 }), { instanceOf: TypeError, message: /codec/ });
  say(1);
  await sim.run(5_000);
  t.is(pulls(), 0);
});

test(
  'each end has the status of the other in the end, even if a third of all messages is lost and nodes restart',
  async (t, sim) => {
    const nodes = cluster(sim, ['a', 'b'], { peers });
    let height = 0;
    for (const restarted of [undefined, 'b', 'a', 'b']) {
      sim.link('a', 'b', { loss: 0.33, latency: [1, 500] });
      if (restarted !== undefined) {
        nodes.delete(restarted);
        sim.crash(restarted);
        sim.restart(restarted);
      }
      await sim.until(() => nodes.size === 2);
      const [a, b] = ['a', 'b'].map((name) => nodes.get(name)!) as [TestNode, TestNode];
      for (let i = 0; i < 5; i++) {
        a.peers.status.set({ height: ++height });
        b.peers.status.set({ height: -height });
        await sim.run(500);
      }
      const areEqual = () =>
        statusOf(a, 'b')?.height === -height && statusOf(b, 'a')?.height === height;
      await sim.until(areEqual, 300_000);
    }
    sim.heal();
    t.pass();
  },
  { count: 10, levels: ['message'] },
);

test('a pull that is never answered blocks nothing', async (t, sim) => {
  let answers = false;
  const { a, say, pulls } = await withRaw(sim, () => (answers ? heightOf(2) : undefined));
  say(1);
  await sim.run(100);
  for (let i = 0; i < 20; i++) say(2);
  await sim.run(1_000);
  t.is(pulls(), 1, 'one at a time');
  answers = true;
  await sim.run(5_000);
  say(2);
  await sim.until(() => statusOf(a, 'peer')?.height === 2, 2_000);
});
