// Tests of networks of listed nodes: which nodes are admitted, disconnected and dialed.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { cluster, connected, echo, idOf, isLinked } from './testing/cluster.ts';
import { credentials } from './testing/real/credentials.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const named = (name: string) => `${idOf(name)}@${name}`;
const listed: Partial<PeersOptions> = { membership: 'listed' };
const recipe: Partial<PeersOptions> = { maxOutbound: 0, exchange: { enabled: false } };

test.serial(
  'a node with membership by list accepts only listed peers, and tells both ends why it refuses others',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const names = ['a', 'b', 'c', 'friend'];
      const nodes = cluster(sim, names, {
        peers: (name) =>
          name === 'a'
            ? { ...listed, persistent: [named('b')], unconditional: [idOf('friend')] }
            : { ...recipe, persistent: ['a'] },
      });
      await sim.until(
        () => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('a'), 'friend'),
        10_000,
      );
      await sim.run(60_000);
      const [a, c] = [nodes.get('a')!, nodes.get('c')!];
      t.deepEqual(connected(a, names), ['b', 'friend'], run.name);
      for (const [node, direction] of [
        [a, 'in'],
        [c, 'out'],
      ] as const) {
        const refused = eventsOf(node, 'rejected').filter((event) => event.reason === 'denied');
        t.true(
          refused.length > 0 && refused.every((event) => event.direction === direction),
          run.name,
        );
        t.regex(refused[0]!.error.message, /not listed.*membership 'listed'/);
      }
      t.deepEqual(
        eventsOf(a, 'up')
          .map(({ peer }) => peer.nodeId)
          .includes(idOf('c')),
        false,
      );
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'by default a removed node may dial in again; with membership by list it is refused until it is listed again',
  async (t) => {
    for (const run of runs(2)) {
      for (const options of [recipe, listed]) {
        const sim = simulationOf(run);
        const names = ['a', 'b', 'c'];
        const nodes = cluster(sim, names, {
          peers: (name) => ({
            ...(name === 'a' ? options : recipe),
            persistent: names.filter((other) => other !== name).map(named),
          }),
          durable: false,
        });
        await sim.until(
          () =>
            nodes.size === 3 && names.every((name) => nodes.get(name)!.peers.list().length === 2),
          10_000,
        );
        const a = nodes.get('a')!;
        t.deepEqual(a.peers.remove(idOf('c')), [named('c')]);
        await sim.until(() => !isLinked(a, 'c'), 10_000);
        t.is(a.peers.mayDial(idOf('c')), false);
        t.is(a.peers.mayDial(idOf('b')), true);
        await sim.run(60_000);
        t.is(isLinked(a, 'c'), options === recipe, run.name);
        a.peers.setTopology([named('b'), named('c')]);
        await sim.until(() => isLinked(a, 'c'), 10_000);
        t.true(isLinked(a, 'b'));
        t.deepEqual(await sim.close(), []);
      }
    }
  },
);

test.serial(
  'nodes that list each other by address alone connect, and disconnect when one is removed',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const names = ['a', 'b', 'c'];
      const nodes = cluster(sim, names, {
        peers: (name) => ({
          ...listed,
          persistent: names.filter((other) => other !== name),
          reconnect: { initialBackoff: 200, maxBackoff: 200 },
        }),
        durable: false,
      });
      await sim.until(
        () => nodes.size === 3 && names.every((name) => nodes.get(name)!.peers.list().length === 2),
        10_000,
      );
      const a = nodes.get('a')!;
      a.peers.remove('c');
      await sim.until(() => !isLinked(a, 'c'), 10_000);
      await sim.run(30_000);
      t.deepEqual(connected(a, names), ['b'], run.name);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a node with membership by list neither requests addresses nor dials known ones; calls to any address still work',
  async (t) => {
    const [run] = runs(1);
    const sim = simulationOf(run!);
    const names = ['a', 'b', 'c'];
    const nodes = cluster(sim, names, {
      peers: (name) =>
        name === 'a'
          ? { ...listed, persistent: [named('b')] }
          : name === 'b'
            ? { maxOutbound: 0, persistent: ['c'] }
            : { maxOutbound: 0 },
    });
    await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('b'), 'c'), 10_000);
    const a = nodes.get('a')!;
    a.peers.learn(idOf('c'), 'c', idOf('b'));
    await sim.run(120_000);
    t.deepEqual(connected(a, names), ['b']);
    t.is(await sim.settle(a.transport.send('c', 'say', 'hello')), 'c: hello');
    t.deepEqual(connected(a, names), ['b'], 'that link belongs to a client');
    t.deepEqual(await sim.close(), []);
  },
);

test('an option that contradicts membership by list throws a TypeError that names it', async (t) => {
  const { tls } = await credentials();
  const make = (options: Partial<PeersOptions>, proves = false) => {
    const transport = createTransport({
      protocol: echo,
      backends: [tcp(proves ? { tls } : {})],
    });
    t.teardown(() => transport.close());
    return () => createPeers({ transport, ...listed, ...options });
  };
  t.throws(make({ seeds: ['a:1'] }), { instanceOf: TypeError, message: /seeds.*omit seeds/ });
  t.throws(make({ exchange: { seed: true } }), {
    instanceOf: TypeError,
    message: /exchange\.seed/,
  });
  t.throws(make({ membership: 'closed' as never }), {
    instanceOf: TypeError,
    message: /membership.*'open' or 'listed'/,
  });
  t.throws(make({ persistent: [`${idOf('b')}@b:1`, 'c:1'] }, true), {
    instanceOf: TypeError,
    message: /persistent\[1\]: 'c:1' has no node id/,
  });
  const peers = make({ persistent: [`${idOf('b')}@b:1`] }, true)();
  t.throws(() => peers.add('c:1'), {
    instanceOf: TypeError,
    message: /peers\.add.*'c:1' has no node id/,
  });
  t.throws(() => peers.setTopology([`${idOf('b')}@b:1`, 'c:1']), {
    instanceOf: TypeError,
    message: /setTopology\[1\]: 'c:1' has no node id/,
  });
  await peers.close();
});

test.serial('mayDial() is false for a banned node and for this node itself', async (t) => {
  const sim = simulationOf(runs(1)[0]!);
  const nodes = cluster(sim, ['a'], { durable: false });
  await sim.until(() => nodes.size === 1);
  const { peers } = nodes.get('a')!;
  t.true(peers.mayDial(idOf('b')));
  t.false(peers.mayDial(idOf('a')));
  peers.add(`${idOf('b')}@b`);
  peers.ban(idOf('b'), 60_000);
  t.false(peers.mayDial(idOf('b')), 'even if it is persistent');
  await sim.run(60_000);
  t.true(peers.mayDial(idOf('b')));
  peers.ban(idOf('b'));
  peers.unban(idOf('b'));
  t.true(peers.mayDial(idOf('b')));
  t.deepEqual(await sim.close(), []);
});

test.serial('all nodes may have one list of persistent peers: none dials itself', async (t) => {
  const sim = simulationOf(runs(1)[0]!);
  const names = ['a', 'b', 'c'];
  const dialed: string[] = [];
  const nodes = cluster(sim, names, {
    transport: (name) => ({
      resolve: (target) => {
        if (target.endsWith(name)) dialed.push(target);
        return target;
      },
    }),
    peers: () => ({ ...recipe, persistent: names.map(named) }),
    durable: false,
  });
  await sim.until(
    () => nodes.size === 3 && names.every((name) => nodes.get(name)!.peers.list().length === 2),
  );
  const a = nodes.get('a')!;
  a.peers.remove(named('a'));
  a.peers.add(named('a'));
  await sim.run(600_000);
  t.deepEqual(a.peers.topology, ['b', 'c', 'a'].map(named));
  t.deepEqual(dialed, []);
  t.deepEqual(
    names.flatMap((name) => eventsOf(nodes.get(name)!, 'rejected')),
    [],
  );
  t.deepEqual(await sim.close(), []);
});
