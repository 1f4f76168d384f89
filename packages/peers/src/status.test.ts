// Tests of the statuses of nodes: they are numbered, pulled when the number is new, and dropped
// when their node is gone.

import { json } from '@trunkline/transport-core';
import test from 'ava';
import * as z from 'zod/mini';
import type { PeersOptions } from './options.ts';
import { encodeStatus } from './protocol.ts';
import { cluster, idOf, type TestNode } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const status = json(z.object({ height: z.number(), note: z.optional(z.string()) }));
const passive: Partial<PeersOptions> = { maxOutbound: 0, status };
const statusOf = (node: TestNode | undefined, name: string) =>
  node?.peers.status.of(idOf(name)) as { height: number } | undefined;
const bytesOf = (value: { height: number }) => status.encode(value);

test.serial(
  'a status reaches every peer soon, each change once, including peers that connect later',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const names = ['a', 'b', 'c'];
      const nodes = cluster(sim, [...names, 'late'], {
        peers: (name) => ({ ...passive, persistent: name === 'a' || name === 'late' ? [] : ['a'] }),
      });
      await sim.until(() => nodes.get('a')?.peers.list().length === 2 && nodes.size === 4);
      const a = nodes.get('a')!;
      a.peers.status.set({ height: 1 });
      await sim.until(
        () =>
          statusOf(nodes.get('b'), 'a')?.height === 1 &&
          statusOf(nodes.get('c'), 'a')?.height === 1,
        1_000,
      );
      await sim.run(20_000);
      a.peers.status.set({ height: 1 });
      await sim.run(20_000);
      a.peers.status.set({ height: 2 });
      await sim.until(
        () =>
          statusOf(nodes.get('b'), 'a')?.height === 2 &&
          statusOf(nodes.get('c'), 'a')?.height === 2,
        1_000,
      );
      for (const name of ['b', 'c']) {
        t.deepEqual(
          eventsOf(nodes.get(name)!, 'status').map((event) => [event.nodeId, event.status]),
          [1, 2].map((height) => [idOf('a'), { height }]),
          run.name,
        );
        t.deepEqual(nodes.get(name)!.peers.get(idOf('a'))!.status, { height: 2 });
      }
      nodes.get('late')!.peers.add('a');
      await sim.until(() => statusOf(nodes.get('late'), 'a')?.height === 2, 3_000);
      t.is(statusOf(a, 'b'), undefined, 'a node that set none has none');
      a.peers.status.set(undefined);
      await sim.until(
        () => ['b', 'c', 'late'].every((name) => statusOf(nodes.get(name), 'a') === undefined),
        1_000,
      );
      t.is(eventsOf(nodes.get('b')!, 'status').at(-1)!.status, undefined);
      t.is(eventsOf(nodes.get('b')!, 'status').length, 3);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a new peer gets the status at once, not at the next beat', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b'], {
      peers: () => ({ ...passive, statusInterval: 600_000 }),
    });
    await sim.until(() => nodes.size === 2);
    nodes.get('a')!.peers.status.set({ height: 1 });
    await sim.run(700_000);
    nodes.get('b')!.peers.add('a');
    await sim.until(() => statusOf(nodes.get('b'), 'a')?.height === 1, 1_000);
    t.pass(run.name);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a node that restarts begins at one again and is believed; while it is away it has no status',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b'], {
        peers: (name) => ({ ...passive, persistent: name === 'a' ? ['b'] : [] }),
      });
      await sim.until(
        () =>
          nodes.get('a')?.peers.list().length === 1 && nodes.get('b')?.peers.list().length === 1,
      );
      const a = nodes.get('a')!;
      for (let height = 1; height <= 9; height++) {
        nodes.get('b')!.peers.status.set({ height });
        await sim.run(3_000);
      }
      t.is(statusOf(a, 'b')?.height, 9);
      nodes.delete('b');
      sim.crash('b', { power: run.seed % 2 === 0 ? 'lost' : 'kept' });
      await sim.run(run.seed === 3 ? 100 : 20_000);
      if (run.seed !== 3) t.is(statusOf(a, 'b'), undefined, run.name);
      sim.restart('b');
      await sim.until(() => nodes.has('b'), 1_000);
      nodes.get('b')!.peers.status.set({ height: 1 });
      await sim.until(() => statusOf(a, 'b')?.height === 1, 60_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a status that cannot be decoded causes one warning per number; the peer stays, loses trust, and its next status is used',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a'], { peers: () => passive });
      await sim.until(() => nodes.size === 1);
      const a = nodes.get('a')!;
      let own = encodeStatus(1, new TextEncoder().encode('{"height":"tall"}'));
      const peer = rawPeer(sim, 'peer', { status: () => own });
      const remote = await sim.settle(peer.transport.dial('a'));
      await sim.run(100);
      const before = a.peers.get(peer.nodeId)!.score;
      peer.words.trySend(remote, 'status', { seq: 1 });
      peer.words.trySend(remote, 'status', { seq: 1 });
      await sim.run(1_000);
      const warnings = eventsOf(a, 'warning');
      t.deepEqual(
        warnings.map(({ error }) => [error.code, error.target]),
        [['invalid_argument', peer.nodeId]],
        run.name,
      );
      t.is(statusOf(a, 'peer'), undefined);
      t.true(a.peers.get(peer.nodeId)!.score < before);
      own = encodeStatus(2, bytesOf({ height: 2 }));
      peer.words.trySend(remote, 'status', { seq: 2 });
      await sim.run(1_000);
      t.is(statusOf(a, 'peer')?.height, 2);
      own = encodeStatus(3, new TextEncoder().encode('{"height":"tall"}'));
      peer.words.trySend(remote, 'status', { seq: 3 });
      await sim.run(1_000);
      t.is(statusOf(a, 'peer'), undefined, 'the earlier status is no longer its status');
      for (const garbage of [
        new Uint8Array(),
        new Uint8Array(4),
        Uint8Array.of(0, 0, 0, 9, 7),
        Uint8Array.of(0, 0, 0, 9, 0, 1),
      ]) {
        own = garbage;
        peer.words.trySend(remote, 'status', { seq: 9 });
        await sim.run(1_000);
      }
      own = encodeStatus(10, bytesOf({ height: 10 }));
      peer.words.trySend(remote, 'status', { seq: 10 });
      await sim.run(1_000);
      t.is(statusOf(a, 'peer')?.height, 10);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a status that changes all the time is pulled now and then, hardly ever if it cannot be decoded; the last one counts',
  async (t) => {
    for (const run of runs(1)) {
      for (const [isRead, most] of [
        [true, 64 + 105],
        [false, 8 + 2],
      ] as const) {
        const sim = simulationOf(run);
        const nodes = cluster(sim, ['a'], { peers: () => passive });
        await sim.until(() => nodes.size === 1);
        const a = nodes.get('a')!;
        let seq = 0;
        const good = () => encodeStatus(seq, bytesOf({ height: seq }));
        let status = isRead ? good : () => encodeStatus(seq, new TextEncoder().encode(`[[[${seq}`));
        const peer = rawPeer(sim, 'peer', { status: () => status() });
        const remote = await sim.settle(peer.transport.dial('a'));
        const say = () => peer.words.trySend(remote, 'status', { seq: ++seq });
        const from = sim.now;
        while (sim.now < from + 10_000) {
          say();
          await sim.run(5);
        }
        t.true(
          countReceived(peer, 'pull') <= most,
          `${run.name}: ${countReceived(peer, 'pull')} pulls, ${most} at most`,
        );
        status = good;
        for (let i = 0; i < 10; i++) {
          await sim.run(2_000);
          peer.words.trySend(remote, 'status', { seq });
        }
        t.is(statusOf(a, 'peer')?.height, seq);
        t.deepEqual(await sim.close(), []);
      }
    }
  },
);

test.serial('a status is limited to 64 KiB at both ends', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => ({ ...passive, persistent: name === 'a' ? ['b'] : [] }),
    });
    await sim.until(
      () => nodes.get('a')?.peers.list().length === 1 && nodes.get('b')?.peers.list().length === 1,
    );
    const [a, b] = [nodes.get('a')!, nodes.get('b')!];
    const room = 65_536 - bytesOf({ height: 1, note: '' } as never).length;
    const error = t.throws(() => a.peers.status.set({ height: 1, note: 'x'.repeat(room + 1) })) as {
      code?: string;
    };
    t.is(error.code, 'resource_exhausted');
    await sim.run(5_000);
    t.is(statusOf(b, 'a'), undefined);
    a.peers.status.set({ height: 1, note: 'x'.repeat(room) });
    await sim.until(() => statusOf(b, 'a') !== undefined, 5_000);
    t.is((statusOf(b, 'a') as unknown as { note: string }).note.length, room, run.name);
    const big = bytesOf({ height: 1, note: 'x'.repeat(room + 1) } as never);
    const liar = rawPeer(sim, 'liar', { status: () => encodeStatus(1, big) });
    const remote = await sim.settle(liar.transport.dial('a'));
    liar.words.trySend(remote, 'status', { seq: 1 });
    await sim.run(5_000);
    t.deepEqual([countReceived(liar, 'pull'), statusOf(a, 'liar')], [1, undefined]);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'without a codec there is no status: setting one throws, and no peer is asked for one',
  async (t) => {
    const sim = simulationOf({ seed: 1, level: 'message', name: '' });
    const nodes = cluster(sim, ['a'], { peers: () => ({ maxOutbound: 0 }) });
    await sim.until(() => nodes.size === 1);
    const a = nodes.get('a')!;
    t.throws(() => a.peers.status.set({ height: 1 }), { instanceOf: TypeError, message: /codec/ });
    const peer = rawPeer(sim, 'peer', { status: () => encodeStatus(1, bytesOf({ height: 1 })) });
    const remote = await sim.settle(peer.transport.dial('a'));
    peer.words.trySend(remote, 'status', { seq: 1 });
    await sim.run(5_000);
    t.is(countReceived(peer, 'pull'), 0);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('a status arrives even if the network loses a third of all messages', async (t) => {
  for (const { seed } of runs(5, ['message'])) {
    const sim = simulationOf({ seed, level: 'message', name: '' });
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => ({ ...passive, persistent: name === 'a' ? ['b'] : [] }),
    });
    await sim.until(
      () => nodes.get('a')?.peers.list().length === 1 && nodes.get('b')?.peers.list().length === 1,
    );
    sim.link('a', 'b', { loss: 0.33 });
    for (let height = 1; height <= 5; height++) {
      nodes.get('a')!.peers.status.set({ height });
      await sim.until(() => statusOf(nodes.get('b'), 'a')?.height === height, 300_000);
    }
    sim.heal();
    t.pass();
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a pull that is never answered blocks nothing', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a'], { peers: () => passive });
    await sim.until(() => nodes.size === 1);
    let answers = false;
    const peer = rawPeer(sim, 'peer', {
      status: () => (answers ? encodeStatus(2, bytesOf({ height: 2 })) : undefined),
    });
    const remote = await sim.settle(peer.transport.dial('a'));
    peer.words.trySend(remote, 'status', { seq: 1 });
    await sim.run(100);
    for (let i = 0; i < 20; i++) peer.words.trySend(remote, 'status', { seq: 2 });
    await sim.run(1_000);
    t.is(countReceived(peer, 'pull'), 1, `${run.name}: one at a time`);
    answers = true;
    await sim.run(5_000);
    peer.words.trySend(remote, 'status', { seq: 2 });
    await sim.until(() => statusOf(nodes.get('a'), 'peer')?.height === 2, 2_000);
    t.deepEqual(await sim.close(), []);
  }
});
