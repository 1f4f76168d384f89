// Tests of setting and changing the list of persistent peers: some peers are connected, some are
// disconnected, and the other connections stay untouched.

import test from 'ava';
import type { PeersOptions } from './options.ts';
import { cluster, connected, idOf, isLinked, passive, type TestNode } from './testing/cluster.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

/** Options of a node that knows only its persistent peers. */
const closed: Partial<PeersOptions> = {
  maxOutbound: 0,
  maxInbound: 0,
  exchange: { enabled: false },
};
const named = (name: string) => `${idOf(name)}@${name}`;

test.serial(
  'n nodes that all name each other have n − 1 peers each, with one link per pair, and keep them',
  async (t) => {
    for (const run of runs(3)) {
      const sim = simulationOf(run);
      const names = Array.from({ length: 8 }, (_, i) => `n${i}`);
      const nodes = cluster(sim, names, {
        peers: (name) => ({
          ...closed,
          persistent: names.filter((other) => other !== name).map(named),
        }),
      });
      await sim.until(
        () =>
          nodes.size === 8 && [...nodes.values()].every((node) => node.peers.list().length === 7),
        20_000,
      );
      await sim.run(10_000);
      const links = new Map(
        [...nodes.values()].map((node) => [
          node.name,
          node.transport.remotes().map(({ id }) => id),
        ]),
      );
      await sim.run(300_000);
      for (const node of nodes.values()) {
        t.deepEqual(
          connected(node, names),
          names.filter((name) => name !== node.name),
          run.name,
        );
        t.is(node.transport.remotes().length, 7, 'one link per pair');
        t.deepEqual(
          node.transport.remotes().map(({ id }) => id),
          links.get(node.name),
          'unchanged for minutes',
        );
        t.deepEqual([eventsOf(node, 'up').length, eventsOf(node, 'down').length], [7, 0]);
      }
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a new topology disconnects removed peers, dials added ones, and leaves the others alone',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b', 'c', 'd'], {
        peers: (name) =>
          name === 'a' ? { maxOutbound: 0, persistent: ['b', named('c')] } : passive,
      });
      await sim.until(
        () => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('a'), 'c') && nodes.size === 4,
      );
      const a = nodes.get('a')!;
      const { remote } = a.peers.get(idOf('c'))!;
      const diff = a.peers.setTopology([named('c'), 'd']);
      t.deepEqual(diff, { removed: ['b'], added: ['d'], changed: [], kept: [named('c')] });
      t.deepEqual(a.peers.topology, [named('c'), 'd']);
      await sim.until(() => isLinked(a, 'd') && !isLinked(a, 'b'), 5_000);
      await sim.run(300_000);
      t.deepEqual(connected(a, ['b', 'c', 'd']), ['c', 'd'], run.name);
      t.is(a.peers.get(idOf('c'))!.remote, remote);
      t.deepEqual(
        eventsOf(a, 'down').map(({ nodeId, cause }) => [nodeId, cause.reason]),
        [[idOf('b'), 'disconnected']],
      );
      t.deepEqual(eventsOf(nodes.get('c')!, 'down'), []);
      const [gone] = eventsOf(nodes.get('b')!, 'down');
      t.is(gone!.cause.reason, 'disconnected');
      t.regex(gone!.cause.message, /topology/);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a running call is answered before its peer is disconnected', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run, { link: { latency: 50 } });
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => (name === 'a' ? { maxOutbound: 0, persistent: ['b'] } : passive),
    });
    await sim.until(() => isLinked(nodes.get('a'), 'b'));
    const a = nodes.get('a')!;
    const answer = a.transport.send(`node:${idOf('b')}`, 'say', 'last');
    a.peers.setTopology([]);
    t.is(await sim.settle(answer), 'b: last', run.name);
    await sim.until(() => !isLinked(a, 'b'), 1_000);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a node whose address changed is both removed and added: it is connected at its new address',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const identity = { nodeId: idOf('b') };
      const nodes = cluster(sim, ['a', 'b', 'b2'], {
        peers: (name) =>
          name === 'a' ? { maxOutbound: 0, persistent: [named('b')] } : { ...passive, identity },
        durable: false,
      });
      await sim.until(() => isLinked(nodes.get('a'), 'b') && nodes.size === 3);
      const a = nodes.get('a')!;
      const moved = `${idOf('b')}@b2`;
      t.deepEqual(a.peers.setTopology([moved]), {
        removed: [named('b')],
        added: [moved],
        changed: [{ from: named('b'), to: moved }],
        kept: [],
      });
      await sim.until(() => a.peers.get(idOf('b'))?.remote.endpoint === 'b2', 5_000);
      await sim.run(10_000);
      t.deepEqual(
        a.transport.remotes().map(({ endpoint }) => endpoint),
        ['b2'],
        run.name,
      );
      t.deepEqual(nodes.get('b')!.peers.list(), []);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('remove does not affect a peer that is not on the list', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b', 'c'], {
      peers: (name) =>
        name === 'a' ? { persistent: [named('c')], maxOutbound: 1, seeds: ['b'] } : passive,
    });
    await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('a'), 'c'), 10_000);
    const { peers, transport } = nodes.get('a')!;
    const links = transport.remotes().map(({ id }) => id);
    for (const target of [idOf('b'), 'b', named('b'), `${idOf('c')}@elsewhere`])
      t.deepEqual(peers.remove(target), [], `${run.name}: ${target}`);
    t.not(peers.addressOf(idOf('b')), undefined, 'its address stays in the book');
    await sim.run(5_000);
    t.deepEqual(
      transport.remotes().map(({ id }) => id),
      links,
      run.name,
    );
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a peer that is removed while it is being dialed does not come up', async (t) => {
  for (const run of runs()) {
    for (const delay of [0, 20, 45, 70, 95, 120]) {
      const sim = simulationOf(run, { link: { latency: 20 } });
      const nodes = cluster(sim, ['a', 'b'], { peers: () => closed });
      await sim.until(() => nodes.size === 2);
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      b.peers.add(named('a'));
      b.peers.remove(named('a'));
      a.peers.add(named('b'));
      await sim.run(delay);
      if (delay % 2 === 0) t.deepEqual(a.peers.remove(idOf('b')), [named('b')]);
      else a.peers.setTopology([]);
      await sim.run(10_000);
      t.deepEqual(
        [a.peers.list().length, b.peers.list().length, a.transport.remotes().length],
        [0, 0, 0],
        `${run.name}, after ${delay} ms`,
      );
      t.deepEqual(await sim.close(), []);
    }
  }
});

test.serial(
  'of all links that are in progress when a peer is removed from the list, none stays',
  async (t) => {
    for (const run of runs(12)) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b'], {
        peers: (name) => ({ ...closed, persistent: [named(name === 'a' ? 'b' : 'a')] }),
        durable: false,
      });
      await sim.until(() => nodes.size === 2);
      await sim.run(run.seed * 6);
      nodes.get('a')!.peers.setTopology([]);
      await sim.run(10_000);
      t.deepEqual(
        [...nodes.values()].map((node) => node.peers.list().length),
        [0, 0],
        run.name,
      );
      t.deepEqual(nodes.get('a')!.transport.remotes(), []);
      nodes.get('a')!.peers.setTopology([named('b')]);
      await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('b'), 'a'), 20_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a removed peer is neither called nor heard, at either end, until it is added again',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const names = ['a', 'b', 'c'];
      const nodes = cluster(sim, names, {
        peers: (name) => ({
          ...closed,
          persistent: names.filter((other) => other !== name).map(named),
        }),
        durable: false,
      });
      await sim.until(
        () =>
          nodes.size === 3 && [...nodes.values()].every((node) => node.peers.list().length === 2),
      );
      const [a, b, c] = names.map((name) => nodes.get(name)!) as [TestNode, TestNode, TestNode];
      // Only a has changed its topology.
      a.peers.setTopology([named('c')]);
      await sim.until(() => !isLinked(a, 'b') && !isLinked(b, 'a'), 10_000);
      await sim.run(60_000);
      t.false(b.transport.trySend(`node:${idOf('a')}`, 'hint', 'from b'));
      t.false(a.transport.trySend(`node:${idOf('b')}`, 'hint', 'from a'));
      t.true(c.transport.trySend(`node:${idOf('a')}`, 'hint', 'from c'));
      const error = (await t.throwsAsync(
        sim.settle(b.transport.send(`node:${idOf('a')}`, 'say', 'x')),
      )) as { reason?: string };
      t.is(error.reason, 'full', run.name);
      t.true(
        eventsOf(a, 'rejected').some(
          ({ reason, nodeId, direction }) =>
            reason === 'full' && nodeId === idOf('b') && direction === 'in',
        ),
      );
      a.peers.setTopology([named('b'), named('c')]);
      await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'), 10_000);
      t.true(b.transport.trySend(`node:${idOf('a')}`, 'hint', 'again from b'));
      t.true(a.transport.trySend(`node:${idOf('b')}`, 'hint', 'again from a'));
      await sim.run(1_000);
      t.deepEqual([a.hints, b.hints], [['from c', 'again from b'], ['again from a']]);
      t.deepEqual(eventsOf(c, 'down'), []);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'however the lists change, the links end up as those that both ends want',
  async (t) => {
    for (const run of runs(4)) {
      const sim = simulationOf(run);
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      const nodes = cluster(sim, names, { peers: () => closed, durable: false });
      await sim.until(() => nodes.size === names.length);
      let state = run.seed * 7919;
      const coin = () => ((state = (state * 48_271) % 2_147_483_647) & 64) === 0;
      for (let round = 0; round < 6; round++) {
        const wanted = new Map(names.map((name) => [name, new Set<string>()]));
        for (const [i, one] of names.entries()) {
          for (const other of names.slice(i + 1)) {
            if (!coin()) continue;
            wanted.get(one)!.add(other);
            wanted.get(other)!.add(one);
          }
        }
        for (const name of names) {
          nodes.get(name)!.peers.setTopology([...wanted.get(name)!].map(named));
          await sim.run(coin() ? 0 : 30);
        }
        const isAsWanted = () =>
          names.every(
            (name) =>
              connected(nodes.get(name)!, names).join() === [...wanted.get(name)!].sort().join(),
          );
        await sim.until(isAsWanted, 30_000);
        await sim.run(5_000);
        t.true(isAsWanted(), `${run.name}, round ${round}`);
      }
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('persistent peers count against neither cap', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const names = ['a', 'b', 'c', 'd', 'e'];
    const nodes = cluster(sim, names, {
      peers: (name) =>
        name === 'a' ? { maxOutbound: 1, persistent: ['b', 'c'], seeds: ['d', 'e'] } : passive,
    });
    await sim.until(() => nodes.get('a')?.peers.list().length === 3, 10_000);
    await sim.run(60_000);
    const a = nodes.get('a')!;
    t.is(a.peers.list().length, 3, `${run.name}: two persistent peers and one ordinary`);
    const { inbound, outbound, persistent } = a.peers.snapshot();
    t.deepEqual({ inbound, outbound, persistent }, { inbound: 0, outbound: 1, persistent: 2 });
    t.deepEqual(await sim.close(), []);
  }
});
