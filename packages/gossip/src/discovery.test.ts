// Tests that distant nodes of a topic find each other, and that no other node learns of the topic.

import test from 'ava';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import {
  cluster,
  idOf,
  listen,
  namesOf,
  runs,
  type Subscriber,
  simulationOf,
  type TestNode,
  words,
} from './testing/cluster.ts';
import { wiretap } from './testing/wiretap.ts';

const calm = partialView({ active: 3, passive: 12 });

/**
 * Describes a ring of nodes: each stays connected to the two nodes before it, and learns of others
 * from them.
 */
function ring(count: number): {
  readonly names: readonly string[];
  readonly before: (name: string) => string[];
} {
  const names = namesOf(count);
  return {
    names,
    before: (name) => [1, 2].map((back) => names[(names.indexOf(name) + count - back) % count]!),
  };
}

for (const overlay of [calm, fullMesh()]) {
  test.serial(
    `three of forty nodes, far apart, find each other on a topic that no other node learns of: ${overlay.name}`,
    async (t) => {
      t.timeout(120_000);
      for (const run of runs(2, ['message'])) {
        const sim = simulationOf(run);
        const { names, before } = ring(40);
        const nodes = cluster(sim, names, {
          gossip: () => ({ overlay }),
          peers: (name) => ({
            maxOutbound: 0,
            persistent: before(name),
            exchange: { interval: 5_000 },
          }),
        });
        const three = ['n00', 'n13', 'n27'];
        await sim.until(
          () =>
            nodes.size === 40 && names.every((name) => nodes.get(name)!.peers.list().length >= 4),
          60_000,
        );
        const { leaks, messages } = wiretap(sim, 'a secret topic');
        const subscribers = new Map<string, Subscriber>();
        for (const name of three) {
          subscribers.set(name, listen(nodes.get(name)!, 'a secret topic'));
          t.deepEqual(
            nodes
              .get(name)!
              .peers.list()
              .filter(({ nodeId }) => three.map(idOf).includes(nodeId)),
            [],
            'not connected to another member',
          );
        }
        const opened = sim.now;
        await sim.until(
          () =>
            [...subscribers.values()].every(
              ({ topic }) => topic.neighbors.length >= (overlay === calm ? 1 : 2),
            ),
          600_000,
        );
        t.log(`${run.name}: ${Math.round((sim.now - opened) / 1_000)} s, ${messages()} messages`);
        await sim.run(5_000);
        for (const name of three)
          await sim.settle(subscribers.get(name)!.topic.publish(`from ${name}`));
        await sim.run(5_000);
        for (const name of three) {
          t.deepEqual(
            [...subscribers.get(name)!.words].sort(),
            three.filter((other) => other !== name).map((other) => `from ${other}`),
            `${run.name}, ${name}`,
          );
        }
        t.true(leaks.length > 0);
        t.deepEqual(
          leaks.filter(({ from, to }) => !three.includes(from) || !three.includes(to)),
          [],
          run.name,
        );
        t.deepEqual(await sim.close(), []);
      }
    },
  );
}

for (const overlay of [
  partialView({ active: 3, passive: 12, mergeInterval: Number.POSITIVE_INFINITY }),
  fullMesh(),
]) {
  test.serial(
    `two islands of a topic that do not know each other merge: ${overlay.name}`,
    async (t) => {
      for (const run of runs()) {
        const sim = simulationOf(run);
        const { names, before } = ring(16);
        const four = ['n00', 'n01', 'n08', 'n09'];
        const subscribers = new Map<string, Subscriber>();
        const nodes = cluster(sim, names, {
          gossip: () => ({ overlay }),
          peers: (name) => ({
            maxOutbound: 0,
            persistent: before(name),
            exchange: { interval: 5_000 },
          }),
          setup: (node) => four.includes(node.name) && subscribers.set(node.name, listen(node)),
        });
        await sim.until(
          () =>
            nodes.size === 16 &&
            four.every((name) => subscribers.get(name)!.topic.neighbors.length >= 1),
          10_000,
        );
        t.deepEqual(subscribers.get('n00')!.topic.neighbors, [idOf('n01')], run.name);
        await sim.until(
          () => four.every((name) => subscribers.get(name)!.topic.neighbors.length === 3),
          600_000,
        );
        await sim.settle(subscribers.get('n09')!.topic.publish('hello'));
        await sim.run(2_000);
        t.deepEqual(
          four.map((name) => subscribers.get(name)!.words),
          [['hello'], ['hello'], ['hello'], []],
        );
        t.deepEqual(await sim.close(), []);
      }
    },
  );
}

test.serial(
  'discovery visits few strangers at a time, and none when enough members are found',
  async (t) => {
    for (const run of runs(1)) {
      const sim = simulationOf(run);
      const { names, before } = ring(20);
      const nodes = cluster(sim, names, {
        gossip: () => ({ overlay: calm }),
        peers: (name) => ({
          maxOutbound: 0,
          persistent: before(name),
          exchange: { interval: 5_000 },
          status: words,
        }),
      });
      await sim.until(
        () => nodes.size === 20 && names.every((name) => nodes.get(name)!.peers.list().length >= 4),
        60_000,
      );
      for (const { peers } of nodes.values()) peers.status.set('here');
      const walker = nodes.get('n05')!;
      const subscriber = listen(walker, 'lonely');
      let most = 0;
      sim.always('it is looked at', () => {
        most = Math.max(most, walker.peers.list().length);
        return true;
      });
      await sim.run(300_000);
      const { need, visited, asked, found } = walker.gossip.snapshot().discovery!;
      t.deepEqual({ need, asked, found }, { need: 'first', asked: 0, found: 0 }, run.name);
      t.true(visited >= 15 && visited <= 120, `${visited}`);
      t.true(most <= 4 + 2 * 2, `two strangers, and two that are being disconnected: ${most}`);
      subscriber.topic.close();
      subscriber.subscription.close();
      await sim.run(10_000);
      t.is(walker.peers.list().length, 4);
      t.is(walker.gossip.snapshot().discovery!.visited, visited);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'after the bootstrap node dies a node reaches nobody until it learns an address, then they talk',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const subscribers = new Map<string, Subscriber>();
      const nodes = cluster(sim, ['a', 'b', 'c', 'd'], {
        gossip: () => ({ overlay: calm }),
        peers: (name) => ({
          maxOutbound: 0,
          persistent: name === 'b' || name === 'd' ? ['a'] : [],
          exchange: { interval: 2_000 },
        }),
        setup: (node) => node.name !== 'd' && subscribers.set(node.name, listen(node)),
      });
      const { peers } = await up(sim, nodes, 'c');
      await sim.until(
        () => nodes.size === 4 && subscribers.get('b')!.topic.neighbors.length === 1,
        60_000,
      );
      await sim.run(10_000);
      sim.crash('a');
      peers.add('a');
      await sim.run(120_000);
      await sim.settle(subscribers.get('c')!.topic.publish('is anybody there?'));
      await sim.run(5_000);
      t.deepEqual(
        [subscribers.get('c')!.topic.neighbors, subscribers.get('b')!.words],
        [[], []],
        `${run.name}: no node gets it`,
      );
      // c learns of d, which is not on the topic but has heard of b from a.
      peers.add('d');
      await sim.until(() => subscribers.get('c')!.topic.neighbors.length === 1, 120_000);
      t.deepEqual(subscribers.get('c')!.topic.neighbors, [idOf('b')]);
      await sim.settle(subscribers.get('c')!.topic.publish('hello'));
      await sim.settle(subscribers.get('b')!.topic.publish('hello to you'));
      await sim.run(2_000);
      t.true(
        subscribers.get('b')!.words.includes('hello') &&
          subscribers.get('c')!.words.includes('hello to you'),
      );
      t.deepEqual(await sim.close(), []);
    }
  },
);

async function up(
  sim: ReturnType<typeof simulationOf>,
  nodes: ReadonlyMap<string, TestNode>,
  name: string,
): Promise<TestNode> {
  await sim.until(() => nodes.has(name), 10_000);
  return nodes.get(name)!;
}
