// Tests of several connections between the same two nodes: both ends use the same one.

import { createSimulation } from '@trunkline/simulation';
import test from 'ava';
import { cluster, connected, idOf } from './testing/cluster.ts';
import { seeds } from './testing/seeds.ts';

const link = { latency: [1, 20] as [number, number] };

test.serial(
  'two nodes that dial each other at once keep the same connection, that of the lower id, and lose no call',
  async (t) => {
    for (const seed of seeds(40)) {
      const sim = createSimulation({
        seed,
        level: seed % 2 === 0 ? 'message' : 'stream',
        link: { latency: 10 },
      });
      const names = ['a', 'b'];
      const nodes = cluster(sim, names, {
        peers: (name) => ({ persistent: [name === 'a' ? 'b' : 'a'] }),
      });
      await sim.until(
        () =>
          nodes.size === 2 && [...nodes.values()].every((node) => node.peers.list().length === 1),
      );
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      const calls = Array.from({ length: 20 }, (_, i) => {
        const [from, to] = i % 2 === 0 ? [a, 'b'] : [b, 'a'];
        return from.transport.send(`node:${idOf(to)}`, 'say', `${i}`);
      });
      t.deepEqual(
        await sim.settle(Promise.all(calls)),
        calls.map((_, i) => `${i % 2 === 0 ? 'b' : 'a'}: ${i}`),
      );
      await sim.run(10_000);
      t.deepEqual(
        [a.transport.remotes().length, b.transport.remotes().length],
        [1, 1],
        `seed ${seed}`,
      );
      const lower = idOf('a') < idOf('b') ? a : b;
      const higher = lower === a ? b : a;
      t.is(lower.transport.remotes()[0]!.direction, 'out');
      t.is(higher.transport.remotes()[0]!.direction, 'in');
      t.deepEqual(
        a.events
          .filter((event) => event.type === 'up' || event.type === 'down')
          .map((event) => event.type),
        ['up'],
      );
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a call on the duplicate link is answered before that link closes', async (t) => {
  const sim = createSimulation({ seed: 5, link: { latency: 5 } });
  const nodes = cluster(sim, ['a', 'b'], {});
  await sim.until(() => nodes.size === 2);
  const [lower, higher] = [nodes.get('a')!, nodes.get('b')!].sort((x, y) =>
    idOf(x.name) < idOf(y.name) ? -1 : 1,
  ) as [never, never];
  const [low, high] = [lower, higher] as unknown as [
    NonNullable<ReturnType<typeof nodes.get>>,
    NonNullable<ReturnType<typeof nodes.get>>,
  ];
  high.peers.add(low.name);
  await sim.until(() => high.peers.list().length === 1 && low.peers.list().length === 1);
  const first = high.transport.remotes()[0]!;
  sim.hold(low.name, high.name, { direction: 'one-way' });
  const answer = high.transport.send(first, 'say', 'slow');
  await sim.run(50);
  sim.release(low.name, high.name, { direction: 'one-way' });
  low.peers.add(high.name);
  t.is(await sim.settle(answer), `${low.name}: slow`);
  t.deepEqual(await sim.close(), []);
});

test.serial('several connections of one pool are not duplicates', async (t) => {
  const sim = createSimulation({ seed: 2, link });
  const nodes = cluster(sim, ['a', 'b'], {
    peers: (name) => ({ persistent: name === 'a' ? ['b'] : [] }),
  });
  await sim.until(
    () => nodes.get('a')?.peers.list().length === 1 && nodes.get('b')?.peers.list().length === 1,
  );
  const b = nodes.get('b')!;
  const second = await sim.settle(b.transport.dial('a'));
  const third = await sim.settle(nodes.get('a')!.transport.dial('b'));
  await sim.run(20_000);
  t.deepEqual([second.closed, third.closed], [false, false]);
  t.deepEqual([b.peers.list().length, nodes.get('a')!.peers.list().length], [1, 1]);
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'a node that dials itself notices, keeps no link and never tries again; it may still call itself',
  async (t) => {
    const sim = createSimulation({ seed: 3, link });
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => (name === 'a' ? { persistent: ['a', 'b'], seeds: ['a'] } : {}),
    });
    await sim.run(600_000);
    const a = nodes.get('a')!;
    const ownAddresses = a.events.filter(
      (event) => event.type === 'rejected' && event.reason === 'self' && event.direction === 'out',
    );
    t.is(ownAddresses.length, 0, 'an address that it listens on is not even dialed');
    t.deepEqual(connected(a, ['a', 'b']), ['b']);
    t.is(await sim.settle(a.transport.send('a', 'say', 'me')), 'a: me');
    t.deepEqual(connected(a, ['a', 'b']), ['b'], 'and it is not its own peer');
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'a node that reaches itself by an unknown name gets one event about it, at both ends',
  async (t) => {
    const sim = createSimulation({ seed: 4, link });
    const resolve = (target: string) => (target === 'front' ? 'a' : target);
    const nodes = cluster(sim, ['a'], {
      transport: { resolve },
      peers: () => ({ persistent: ['front'] }),
    });
    await sim.run(600_000);
    const a = nodes.get('a')!;
    const ownAddresses = a.events.filter((event) => event.type === 'rejected');
    t.deepEqual(
      ownAddresses.map((event) => event.reason),
      ['self', 'self'],
    );
    t.deepEqual(ownAddresses.map((event) => event.direction).sort(), ['in', 'out']);
    t.is(ownAddresses[0]!.error.reason, 'self');
    t.is(a.transport.remotes().length, 0);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'a name that led to the node itself is dialed again once it is added again',
  async (t) => {
    const sim = createSimulation({ seed: 5, link });
    let front = 'a';
    const nodes = cluster(sim, ['a', 'b'], {
      transport: { resolve: (target: string) => (target === 'front' ? front : target) },
      peers: (name) => (name === 'a' ? { persistent: ['front'] } : { maxOutbound: 0 }),
    });
    await sim.run(60_000);
    front = 'b';
    await sim.run(60_000);
    const a = nodes.get('a')!;
    t.deepEqual(connected(a, ['b']), []);
    a.peers.add('front');
    await sim.until(() => connected(a, ['b']).length > 0, 60_000);
    t.deepEqual(connected(a, ['b']), ['b']);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'an asserted id belongs to the first node that uses it: another is refused until the first is gone',
  async (t) => {
    const sim = createSimulation({ seed: 6, link });
    const nodes = cluster(sim, ['a', 'b', 'c'], {
      peers: (name) =>
        name === 'a'
          ? {}
          : { identity: { nodeId: idOf('b') }, ...(name === 'b' ? { persistent: ['a'] } : {}) },
      durable: false,
    });
    await sim.until(() => nodes.get('a')?.peers.list().length === 1 && nodes.has('c'));
    const a = nodes.get('a')!;
    const { instance } = a.peers.get(idOf('b'))!;
    nodes.get('c')!.peers.add('a');
    await sim.run(10_000);
    const rejected = nodes.get('c')!.events.find((event) => event.type === 'rejected');
    t.is(rejected?.reason, 'duplicate');
    t.is(rejected?.error.code, 'already_exists');
    t.is(a.peers.get(idOf('b'))!.instance, instance);
    t.true(
      a.events.some(
        (event) =>
          event.type === 'rejected' && event.reason === 'duplicate' && event.direction === 'in',
      ),
    );
    sim.crash('b');
    await sim.until(
      () => a.peers.get(idOf('b')) !== undefined && a.peers.get(idOf('b'))!.instance !== instance,
      200_000,
    );
    t.deepEqual(
      a.events
        .filter((event) => event.type === 'up' || event.type === 'down')
        .map((event) => event.type),
      ['up', 'down', 'up'],
    );
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('a restart is reported as down, then up, never as two peers at once', async (t) => {
  for (const seed of seeds(20)) {
    const sim = createSimulation({ seed, link });
    const names = ['a', 'b', 'c'];
    const nodes = cluster(sim, names, {
      peers: (name) => ({ persistent: names.filter((other) => other !== name) }),
    });
    await sim.until(
      () => nodes.size === 3 && [...nodes.values()].every((node) => node.peers.list().length === 2),
    );
    for (let round = 0; round < 3; round++) {
      sim.crash('b', { power: round === 1 ? 'lost' : 'kept' });
      await sim.run(500 + 700 * round);
      sim.restart('b');
      await sim.run(30_000);
    }
    await sim.until(() => [...nodes.values()].every((node) => node.peers.list().length === 2));
    for (const name of ['a', 'c']) {
      let isUp = false;
      for (const event of nodes.get(name)!.events) {
        if (event.type === 'up' && event.peer.nodeId === idOf('b')) {
          t.false(isUp, `seed ${seed}: up twice`);
          isUp = true;
        } else if (event.type === 'down' && event.nodeId === idOf('b')) {
          t.true(isUp, `seed ${seed}: down twice`);
          isUp = false;
        }
      }
      t.true(isUp);
    }
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a stop that races with that of the other end is one down event, and the peer leaves every list',
  async (t) => {
    for (const seed of seeds(20)) {
      const sim = createSimulation({ seed, link });
      const nodes = cluster(sim, ['a', 'b'], {
        peers: (name) => ({ maxOutbound: 0, persistent: name === 'a' ? ['b'] : [] }),
      });
      await sim.until(
        () =>
          nodes.size === 2 && [...nodes.values()].every((node) => node.peers.list().length === 1),
      );
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      a.peers.remove('b');
      void b.transport.disconnect(b.transport.remotes()[0]!);
      if (seed % 2 === 0) sim.reset('a', 'b');
      await sim.run(60_000);
      for (const node of [a, b]) {
        t.is(node.events.filter((event) => event.type === 'down').length, 1);
        t.deepEqual(
          [
            node.peers.list().length,
            node.transport.remotes().length,
            node.peers.snapshot().inbound,
            node.peers.snapshot().outbound,
          ],
          [0, 0, 0, 0],
        );
      }
      t.deepEqual(await sim.close(), []);
    }
  },
);
