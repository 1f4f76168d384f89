// Tests of a publisher that is restarted while its clock shows an earlier time than before.

import { type Store, TransportError } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import test from 'ava';
import { relay } from './driver/relay-driver.ts';
import type { GossipOptions } from './options.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import {
  cluster,
  eventsOf,
  listen,
  type Run,
  runs,
  type Subscriber,
  simulationOf,
} from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { rawPeer } from './testing/raw-peer.ts';
import { topicKey } from './topics/topic-key.ts';
import type { PublishResult } from './types.ts';

const YEAR = 31_557_600_000;
const NOW = 1_800_000_000_000;

/**
 * Sets up nodes. At each start, 'a' uses the next of these clocks; when none is left, it keeps the
 * last one.
 */
function meet(
  run: Run,
  names: readonly string[],
  clocks: number[],
  options: (name: string, store: Store) => Partial<GossipOptions>,
  listed = names,
) {
  const sim = simulationOf(run);
  const subscribers = new Map<string, Subscriber>();
  const nodes = cluster(sim, names, {
    gossip: (name, store) => {
      const wall =
        name === 'a' && clocks.length > 1 ? clocks.shift()! : name === 'a' ? clocks[0]! : NOW;
      return { wall: () => wall, ...options(name, store) };
    },
    peers: (name) => ({
      persistent: listed.filter((other) => other < name),
      ...(isSigned(options) ? { identity: identityOf(name) } : {}),
    }),
    setup: (node) => void subscribers.set(node.name, listen(node)),
  });
  const ready = async (neighbors: number) => {
    await sim.until(
      () =>
        nodes.size === names.length &&
        [...subscribers.values()].every(({ topic }) => topic.neighbors.length >= neighbors),
      60_000,
    );
  };
  return {
    sim,
    subscribers,
    nodes,
    ready,
    subscriber: (name: string) => subscribers.get(name)!,
    node: (name: string) => nodes.get(name)!,
  };
}

const isSigned = (options: (name: string, store: Store) => Partial<GossipOptions>) =>
  options('a', createMemoryStore()).signatures !== undefined;

for (const [title, clock] of [
  ['a year behind', NOW - YEAR],
  ['at 1970', 0],
  ['as it was', NOW],
] as const) {
  for (const overlay of [fullMesh(), partialView()]) {
    test.serial(
      `${overlay.name}: after a restart a publisher whose clock stands ${title} is accepted from its first message on`,
      async (t) => {
        for (const run of runs(2)) {
          const { sim, ready, subscriber, node } = meet(run, ['a', 'b', 'c'], [NOW, clock], () => ({
            overlay,
          }));
          await ready(2);
          for (let i = 0; i < 5; i++)
            await sim.settle(subscriber('a').topic.publish(`before ${i}`));
          await sim.run(1_000);
          for (const name of ['b', 'c']) t.is(subscriber(name).words.length, 5, run.name);
          sim.restart('a');
          await sim.run(10);
          await ready(2);
          for (let i = 0; i < 5; i++)
            await sim.settle(subscriber('a').topic.publish(`after ${i}`, { min: i === 0 ? 2 : 0 }));
          await sim.run(1_000);
          for (const name of ['b', 'c']) {
            t.deepEqual(
              subscriber(name).words.slice(5).sort(),
              [0, 1, 2, 3, 4].map((i) => `after ${i}`),
              `${run.name}: ${name}`,
            );
            t.deepEqual(eventsOf(node(name), 'misbehaved'), []);
          }
          t.deepEqual(await sim.close(), []);
        }
      },
    );
  }
}

for (const overlay of [fullMesh(), partialView()])
  test.serial(
    `${overlay.name}: messages published right at the start of such a node are accepted, too`,
    async (t) => {
      for (const [i, run] of runs(2).entries()) {
        const min = i % 2;
        const sim = simulationOf(run);
        const subscribers = new Map<string, Subscriber>();
        const results: Promise<PublishResult>[] = [];
        const clocks = [NOW, 0];
        const nodes = cluster(sim, ['a', 'b'], {
          gossip: (name) => {
            const wall = name === 'a' ? clocks.shift()! : NOW;
            return { overlay, wall: () => wall };
          },
          setup: (node) => {
            subscribers.set(node.name, listen(node));
            if (node.name === 'a')
              results.push(
                subscribers
                  .get('a')!
                  .topic.publish(clocks.length === 0 ? 'second' : 'first', { min }),
              );
          },
        });
        await sim.until(() => nodes.size === 2 && subscribers.get('b')!.words.length === 1, 20_000);
        sim.restart('a');
        await sim.until(() => subscribers.get('b')!.words.length === 2, 20_000);
        t.deepEqual(subscribers.get('b')!.words, ['first', 'second'], run.name);
        // The receipt is still in flight.
        await sim.run(100);
        t.deepEqual(await sim.close(), []);
      }
    },
  );

test.serial(
  'a publisher with a store is accepted also by nodes that are not its neighbors and that it never talks to',
  async (t) => {
    for (const run of runs(2)) {
      // Messages travel along the line a, b, c.
      const { sim, subscribers, ready, subscriber, node } = meet(
        run,
        ['a', 'b', 'c'],
        [NOW, 0],
        (_, store) => ({ overlay: fullMesh({ hops: 4 }), store }),
        [],
      );
      await sim.until(() => subscribers.size === 3, 5_000);
      await sim.until(
        () => node('a') !== undefined && node('b') !== undefined && node('c') !== undefined,
        5_000,
      );
      node('b').peers.add('a');
      node('c').peers.add('b');
      await ready(1);
      await sim.run(1_000);
      await sim.settle(subscriber('a').topic.publish('before'));
      await sim.until(() => subscriber('c').words.length === 1, 5_000);
      const life = node('a').gossip.snapshot().topics[0]!.life;
      t.is(life, NOW);
      sim.restart('b');
      sim.restart('a');
      await sim.run(10);
      await sim.until(() => node('a') !== undefined && node('b') !== undefined, 5_000);
      t.true(node('a').gossip.snapshot().topics[0]!.life > life);
      node('b').peers.add('a');
      node('c').peers.add('b');
      await ready(1);
      await sim.run(1_000);
      await sim.settle(subscriber('a').topic.publish('after'));
      await sim.until(() => subscriber('c').words.length === 2, 5_000);
      t.deepEqual(subscriber('c').words, ['before', 'after'], run.name);
      await sim.close();
    }
  },
);

test.serial(
  'over several hops a neighbor tells a node whose clock went back its last life, and distant nodes accept it',
  async (t) => {
    for (const run of runs(2)) {
      const { sim, ready, subscriber, node } = meet(
        run,
        ['a', 'b', 'c'],
        [NOW, 0],
        () => ({ overlay: fullMesh({ hops: 4 }) }),
        [],
      );
      await sim.until(() => ['a', 'b', 'c'].every((name) => node(name) !== undefined), 5_000);
      node('b').peers.add('a');
      node('c').peers.add('b');
      await ready(1);
      await sim.run(1_000);
      await sim.settle(subscriber('a').topic.publish('before'));
      await sim.until(() => subscriber('c').words.length === 1, 5_000);
      sim.restart('a');
      await sim.run(10);
      await ready(1);
      await sim.run(1_000);
      await sim.settle(subscriber('a').topic.publish('after'));
      await sim.until(() => subscriber('c').words.length === 2, 5_000);
      t.deepEqual(subscriber('c').words, ['before', 'after'], run.name);
      t.deepEqual(
        eventsOf(node('a'), 'differs').map(({ what, ours, theirs }) => [what, ours, theirs]),
        [['life', 0, NOW]],
      );
      t.is(node('a').gossip.snapshot().topics[0]!.life, NOW + 1);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a relayed long message is accepted after such a restart', async (t) => {
  for (const run of runs(1)) {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { sim, ready, subscriber } = meet(run, names, [NOW, 0], () => ({
      overlay: fullMesh(),
      relay: relay({ above: 1_000, fanout: 2, stall: 2_000 }),
    }));
    await ready(4);
    await sim.settle(subscriber('a').topic.publish('before'.padEnd(5_000)));
    await sim.run(1_000);
    sim.restart('a');
    await sim.run(10);
    await ready(4);
    await sim.settle(subscriber('a').topic.publish('after'.padEnd(5_000)));
    await sim.run(20_000);
    for (const name of names.slice(1))
      t.deepEqual(
        subscriber(name).words.map((word) => word.trim()),
        ['before', 'after'],
        `${run.name}: ${name}`,
      );
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a stranger that reports lives far ahead is not believed; one within the bound does no permanent harm',
  async (t) => {
    for (const run of runs(1)) {
      const { sim, ready, subscriber, node } = meet(run, ['a', 'b'], [NOW, NOW + 1_000], () => ({
        overlay: fullMesh({ hops: 2 }),
      }));
      await ready(1);
      const guest = await rawPeer(sim);
      await sim.until(() => node('a').peers.list().length === 2, 5_000);
      const lie = (life: number) =>
        guest.talk.trySend(guest.remote, 'terms', {
          topic: topicKey('news').hex,
          overlay: 'fullMesh',
          limit: 1_048_576,
          life,
        });
      const life = () => node('a').gossip.snapshot().topics[0]!.life;
      for (const far of [NOW + 10 * YEAR + YEAR, 2 ** 47, 2 ** 48 - 1]) {
        lie(far);
        await sim.run(100);
        t.is(life(), NOW, `${run.name}: ${far}`);
      }
      for (let i = 1; i <= 30; i++) {
        lie(NOW + i * 1_000);
        await sim.run(100);
      }
      t.true(life() < NOW + 30_000, 'a few times and no more');
      await sim.settle(subscriber('a').topic.publish('one'));
      await sim.run(500);
      sim.restart('a');
      await sim.run(10);
      await ready(1);
      await sim.settle(subscriber('a').topic.publish('two'));
      await sim.run(500);
      t.deepEqual(subscriber('b').words, ['one', 'two'], run.name);
      await sim.close();
    }
  },
);

test.serial(
  'a life far ahead is believed for ten minutes after the start, later only by a node that signs',
  async (t) => {
    for (const run of runs(1, ['message'])) {
      for (const signs of [false, true]) {
        const options = (name: string) => ({
          overlay: fullMesh({ hops: 2 }),
          ...(signs ? { signatures: { identity: identityOf(name) } } : {}),
        });
        const { sim, ready, subscriber, node } = meet(run, ['a', 'b'], [NOW], options);
        await ready(1);
        await sim.settle(subscriber('a').topic.publish('one'));
        await sim.run(610_000);
        const guest = await rawPeer(sim);
        await sim.until(() => node('a').peers.list().length === 2, 5_000);
        guest.talk.trySend(guest.remote, 'terms', {
          topic: topicKey('news').hex,
          overlay: 'fullMesh',
          limit: 1_048_576,
          life: NOW + YEAR,
        });
        await sim.run(500);
        t.is(
          node('a').gossip.snapshot().topics[0]!.life,
          signs ? NOW + YEAR + 1 : NOW,
          `${run.name}, ${signs}`,
        );
        await sim.settle(subscriber('a').topic.publish('two'));
        await sim.run(500);
        t.deepEqual(subscriber('b').words, ['one', 'two']);
        await sim.close();
      }
    }
  },
);

test.serial(
  'signed messages of an earlier life are refused, whoever claims that a new one began',
  async (t) => {
    for (const run of runs(1)) {
      const signed = (name: string) => ({
        overlay: partialView(),
        signatures: { identity: identityOf(name) },
      });
      const { sim, ready, subscriber } = meet(run, ['a', 'b', 'c'], [NOW, NOW - YEAR], signed);
      await ready(2);
      await sim.settle(subscriber('a').topic.publish('before'));
      await sim.run(500);
      sim.restart('a');
      await sim.run(10);
      await ready(2);
      await sim.settle(subscriber('a').topic.publish('after'));
      await sim.run(1_000);
      for (const name of ['b', 'c'])
        t.deepEqual(subscriber(name).words, ['before', 'after'], `${run.name}: ${name}`);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a store that fails or has no number fails the start, which can be retried',
  async (t) => {
    for (const run of runs(1, ['message'])) {
      let fails = true;
      const kept = createMemoryStore();
      const store: Store = {
        ...kept,
        get: (key) => (fails ? Promise.reject(new Error('no disk')) : kept.get(key)),
      };
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a'], {
        start: false,
        gossip: () => ({ store, wall: () => 100 }),
      });
      await sim.until(() => nodes.size === 1, 1_000);
      const { gossip } = nodes.get('a')!;
      const error = await t.throwsAsync(sim.settle(gossip.start()), {
        instanceOf: TransportError,
        message: /store: no disk/,
      });
      t.is((error as TransportError).code, 'unavailable');
      fails = false;
      await kept.set('gossip-life', new TextEncoder().encode('soon'));
      await t.throwsAsync(sim.settle(gossip.start()), {
        code: 'data_loss',
        message: /'gossip-life' is not a number: soon; delete it/,
      });
      await kept.set('gossip-life', new TextEncoder().encode('5000'));
      const topic = gossip.topic('news', {
        name: 'x',
        encode: () => new Uint8Array(1),
        decode: () => 1,
      });
      const first = gossip.start();
      await t.throwsAsync(gossip.start(), { code: 'failed_precondition' });
      await sim.settle(first);
      t.is(gossip.snapshot().topics[0]!.life, 5_001);
      t.true(Number(new TextDecoder().decode(await kept.get('gossip-life'))) > 5_001);
      topic.close();
      gossip.topic('news', { name: 'x', encode: () => new Uint8Array(1), decode: () => 1 });
      t.is(gossip.snapshot().topics[0]!.life, 5_002, 'joined again');
      t.deepEqual(await sim.close(), []);
    }
  },
);
