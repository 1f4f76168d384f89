// Tests of a publisher that is restarted while its clock shows an earlier time than before.

import { type Store, TransportError } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import { relay } from './driver/relay-driver.ts';
import type { GossipOptions } from './options.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { topicKey } from './protocol.ts';
import {
  cluster,
  eventsOf,
  type MeetOptions,
  meet,
  type Run,
  runs,
  simulationOf,
  type TestNode,
  words,
} from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { type RawPeer, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';

const YEAR = 31_557_600_000;
const NOW = 1_800_000_000_000;
const CLOCKS = { 'a year behind': NOW - YEAR, 'at 1970': 0, 'as it was': NOW };

/**
 * Sets up nodes. At each start, 'a' uses the next of these clocks; when none is left, it keeps the
 * last one. Nodes that sign have the ids of their keys.
 */
function meetAt(
  clocks: number[],
  run: Run,
  names: readonly string[],
  options: (name: string, store: Store) => Partial<GossipOptions>,
  rest: MeetOptions = {},
) {
  const isSigned = options('a', createMemoryStore()).signatures !== undefined;
  return meet(run, names, {
    gossip: (name, store) => {
      const wall = name !== 'a' ? NOW : clocks.length > 1 ? clocks.shift()! : clocks[0]!;
      return { wall: () => wall, ...options(name, store) };
    },
    peers: (name) => (isSigned ? { identity: identityOf(name) } : {}),
    ...rest,
  });
}

const lifeOf = (node: TestNode) => node.gossip.snapshot().topics[0]!.life;

/** Lets a stranger report that it knows a node's messages of this life. */
function lie(guest: RawPeer, life: number): void {
  const terms = { topic: topicKey('news').hex, overlay: 'fullMesh', limit: 1_048_576, life };
  guest.talk.trySend(guest.remote, 'terms', terms);
}

const signing = (name: string) => ({ signatures: { identity: identityOf(name) } });
const relaying = () => ({ relay: relay({ above: 1, fanout: 1, stall: 2_000 }) });
const ALL_CLOCKS = Object.keys(CLOCKS) as (keyof typeof CLOCKS)[];
for (const { kind, overlay, more, clocks = ALL_CLOCKS } of [
  { kind: 'fullMesh', overlay: fullMesh() },
  { kind: 'partialView', overlay: partialView() },
  { kind: 'signed', overlay: partialView(), more: signing, clocks: ['a year behind'] as const },
  { kind: 'relayed', overlay: fullMesh(), more: relaying, clocks: ['at 1970'] as const },
])
  for (const clock of clocks)
    test(`${kind}: after a restart a publisher whose clock stands ${clock} is accepted from its first message on`, async (t) => {
      const { sim, met, subscriber, node } = await meetAt(
        [NOW, CLOCKS[clock]],
        t.context,
        ['a', 'b', 'c'],
        (name) => ({ overlay, ...more?.(name) }),
      );
      const say = (word: string, min = 0) =>
        sim.settle(subscriber('a').topic.publish(word, { min }));
      for (let i = 0; i < 5; i++) await say(`before ${i}`);
      await sim.run(1_000);
      for (const name of ['b', 'c']) t.is(subscriber(name).words.length, 5);
      sim.restart('a');
      await sim.run(10);
      await met();
      for (let i = 0; i < 5; i++) await say(`after ${i}`, i === 0 ? 2 : 0);
      await sim.settle(subscriber('b').topic.publish('welcome'));
      await sim.run(1_000);
      t.deepEqual(subscriber('a').words, ['welcome']);
      for (const name of ['b', 'c']) {
        const after = [0, 1, 2, 3, 4].map((i) => `after ${i}`);
        const expected = name === 'c' ? [...after, 'welcome'] : after;
        t.deepEqual(subscriber(name).words.slice(5).sort(), expected, name);
        t.deepEqual(eventsOf(node(name), 'misbehaved'), []);
      }
    });

for (const overlay of [fullMesh(), partialView()])
  test(`${overlay.name}: messages published right at the start of such a node are accepted, too`, async (t) => {
    const min = 1 - (t.context.seed % 2);
    const said = ['first', 'second'];
    const { sim, subscriber } = await meetAt([NOW, 0], t.context, ['a', 'b'], () => ({ overlay }), {
      topic: (name, { gossip }) => {
        if (name === 'a') void gossip.topic('news', words).publish(said.shift()!, { min });
        return {};
      },
    });
    await sim.until(() => subscriber('b').words.length === 1, 20_000);
    sim.restart('a');
    await sim.until(() => subscriber('b').words.length === 2, 20_000);
    t.deepEqual(subscriber('b').words, ['first', 'second']);
    // The receipt is still in flight.
    await sim.run(100);
  });

for (const hasStore of [true, false])
  test(
    hasStore
      ? 'a publisher with a store is accepted also by nodes that are not its neighbors and that it never talks to'
      : 'over several hops a neighbor tells a node whose clock went back its last life, and distant nodes accept it',
    async (t) => {
      const { sim, met, subscriber, node } = await meetAt(
        [NOW, 0],
        t.context,
        ['a', 'b', 'c'],
        (_, store) => ({ overlay: fullMesh({ hops: 4 }), ...(hasStore ? { store } : {}) }),
        { neighbors: 0, peers: () => ({ persistent: [] }) },
      );
      /** Connects the nodes in a line, and publishes a message at its end. */
      const say = async (word: string) => {
        node('b').peers.add('a');
        node('c').peers.add('b');
        await met(1);
        await sim.run(1_000);
        await sim.settle(subscriber('a').topic.publish(word));
        await sim.until(() => subscriber('c').words.includes(word), 5_000);
      };
      await say('before');
      t.is(lifeOf(node('a')), NOW);
      // Afterwards, b doesn't know the earlier life.
      if (hasStore) sim.restart('b');
      sim.restart('a');
      await sim.run(10);
      await met(0);
      if (hasStore) t.true(lifeOf(node('a')) > NOW);
      await say('after');
      t.deepEqual(subscriber('c').words, ['before', 'after']);
      if (hasStore) return;
      const told = eventsOf(node('a'), 'differs');
      const differences = told.map(({ what, ours, theirs }) => [what, ours, theirs]);
      t.deepEqual(differences, [['life', 0, NOW]]);
      t.is(lifeOf(node('a')), NOW + 1);
    },
  );

test('a stranger that reports lives far ahead is not believed; one within the bound does no permanent harm', async (t) => {
  const { sim, met, subscriber, node } = await meetAt(
    [NOW, NOW + 1_000],
    t.context,
    ['a', 'b'],
    () => ({ overlay: fullMesh({ hops: 2 }) }),
  );
  const guest = await rawPeer(sim);
  await sim.until(() => node('a').peers.list().length === 2, 5_000);
  for (const far of [NOW + 10 * YEAR + YEAR, 2 ** 47, 2 ** 48 - 1]) {
    lie(guest, far);
    await sim.run(100);
    t.is(lifeOf(node('a')), NOW, `${far}`);
  }
  for (let i = 1; i <= 30; i++) {
    lie(guest, NOW + i * 1_000);
    await sim.run(100);
  }
  t.true(lifeOf(node('a')) < NOW + 30_000, 'a few times and no more');
  await sim.settle(subscriber('a').topic.publish('one'));
  await sim.run(500);
  sim.restart('a');
  await sim.run(10);
  await met();
  await sim.settle(subscriber('a').topic.publish('two'));
  await sim.run(500);
  t.deepEqual(subscriber('b').words, ['one', 'two']);
}, 1);

test(
  'a life far ahead is believed for ten minutes after the start, later only by a node that signs',
  async (t) => {
    for (const signs of [false, true]) {
      const { sim, subscriber, node } = await meetAt([NOW], t.context, ['a', 'b'], (name) => ({
        overlay: fullMesh({ hops: 2 }),
        ...(signs ? signing(name) : {}),
      }));
      await sim.settle(subscriber('a').topic.publish('one'));
      await sim.run(610_000);
      const guest = await rawPeer(sim);
      await sim.until(() => node('a').peers.list().length === 2, 5_000);
      lie(guest, NOW + YEAR);
      await sim.run(500);
      t.is(lifeOf(node('a')), signs ? NOW + YEAR + 1 : NOW, `${signs}`);
      await sim.settle(subscriber('a').topic.publish('two'));
      await sim.run(500);
      t.deepEqual(subscriber('b').words, ['one', 'two']);
      await sim.close();
    }
  },
  runs(1, ['message']),
);

test(
  'a store that fails or has no number fails the start, which can be retried',
  async (t) => {
    let fails = true;
    const kept = createMemoryStore();
    const store: Store = {
      ...kept,
      get: (key) => (fails ? Promise.reject(new Error('no disk')) : kept.get(key)),
    };
    const sim = simulationOf(t.context);
    const nodes = cluster(sim, ['a'], {
      start: false,
      gossip: () => ({ store, wall: () => 100 }),
    });
    await sim.until(() => nodes.size === 1, 1_000);
    const { gossip } = nodes.get('a')!;
    await t.throwsAsync(sim.settle(gossip.start()), {
      instanceOf: TransportError,
      code: 'unavailable',
      message: /store: no disk/,
    });
    fails = false;
    await kept.set('gossip-life', new TextEncoder().encode('soon'));
    await t.throwsAsync(sim.settle(gossip.start()), {
      code: 'data_loss',
      message: /'gossip-life' is not a number: soon; delete it/,
    });
    await kept.set('gossip-life', new TextEncoder().encode('5000'));
    const topic = gossip.topic('news', words);
    const first = gossip.start();
    await t.throwsAsync(gossip.start(), { code: 'failed_precondition' });
    await sim.settle(first);
    t.is(gossip.snapshot().topics[0]!.life, 5_001);
    t.true(Number(new TextDecoder().decode(await kept.get('gossip-life'))) > 5_001);
    topic.close();
    gossip.topic('news', words);
    t.is(gossip.snapshot().topics[0]!.life, 5_002, 'joined again');
  },
  runs(1, ['message']),
);
