// The longest tests: networks that are partitioned for a long time, whose nodes come and go, or
// many nodes that start at once.

import { createSimulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';
import ava from 'ava';
import { boot, connected } from './testing/cluster.ts';
import { churn } from './testing/scale/churn.ts';
import { heal } from './testing/scale/heal.ts';
import { prefilled } from './testing/scale/prefilled.ts';
import { storm } from './testing/scale/storm.ts';
import { seeds } from './testing/seeds.ts';

/** These tests run one at a time. */
const test = ava.serial;

const MINUTE = 60_000;

for (const [knows, whom] of [
  ['common', 'the same node'],
  ['earlier', 'some other node'],
] as const) {
  test(`with room for all, every pair is linked within a minute of a partition’s end: each knows ${whom}`, async (t) => {
    for (const seed of seeds(2)) {
      const { healed, parts } = await heal({ seed, nodes: 40, caps: 'all', knows });
      t.deepEqual(parts, [28], `seed ${seed}`);
      t.true(healed !== undefined && healed <= MINUTE, `seed ${seed}: ${healed} ms`);
    }
  });

  test(`with few links each, all form one graph and have as many links as they want within a minute: each knows ${whom}`, async (t) => {
    for (const seed of seeds(3)) {
      const options = { seed, nodes: 60, caps: 'default', outbound: 5, knows } as const;
      const { healed, parts } = await heal(options);
      t.is(parts.length, 1, `seed ${seed}`);
      t.true(healed !== undefined && healed <= MINUTE, `seed ${seed}: ${healed} ms`);
    }
  });
}

test('two halves that were apart for an hour, and have filled their slots, find each other again', async (t) => {
  const { joined, parts } = await heal({
    seed: 1,
    nodes: 50,
    caps: 'default',
    outbound: 5,
    knows: 'earlier',
    partition: 60 * MINUTE,
  });
  t.is(parts.length, 1);
  t.true(joined !== undefined && joined <= 5 * MINUTE, `${joined} ms`);
});

test('while nodes leave and join, those that stay form one graph, and none is isolated', async (t) => {
  const { cycles, never, joins } = await churn({ seed: 1, nodes: 120, cycles: 10 });
  t.deepEqual(
    cycles.filter(({ parts }) => parts.length > 1),
    [],
  );
  t.is(never, 0);
  t.true(joins.at(-1)! <= 30_000, `${joins.at(-1)} ms`);
});

for (const nodes of [200, 60])
  test(`${nodes} nodes that start at once from one default node form one graph within ten seconds, and keep it when that node is killed`, async (t) => {
    const { joined, killed, most } = await storm({ seed: 1, nodes });
    t.true(joined !== undefined && joined <= 10_000, `${joined} ms`);
    t.deepEqual(killed, [nodes - 1]);
    t.is(most, 40, 'the default node has no more inbound peers than its limit');
  });

test('a newcomer whose only seed is full still learns of other nodes, and the seed stays within its limit', async (t) => {
  const sim = createSimulation({ seed: 1, link: { latency: [1, 20] } });
  const names = ['hub', ...Array.from({ length: 40 }, (_, i) => `n${i}`)];
  const peers = (name: string) =>
    name === 'hub' ? { maxInbound: 20, maxOutbound: 0 } : { seeds: ['hub'], maxOutbound: 3 };
  const [hub, ...others] = await boot(sim, names, { peers, durable: false });
  let most = 0;
  sim.always('the cap', () => {
    most = Math.max(most, hub!.peers.snapshot().inbound);
    return true;
  });
  await sim.until(() => others.every(({ peers }) => peers.snapshot().outbound === 3), 5 * MINUTE);
  t.true(most <= 20 && most > 17, String(most));
  // Most of the nodes that hold the hub's places keep them.
  const before = connected(hub!, names);
  await sim.run(10 * MINUTE);
  const after = connected(hub!, names);
  t.true(before.filter((name) => after.includes(name)).length >= 12, `${before} / ${after}`);
  t.deepEqual(await sim.close(), []);
});

test('a node that was lost by accident and returns takes the place of the one that replaced it', async (t) => {
  for (const seed of seeds(5)) {
    const addressBook = await prefilled(['b', 'c', 'd', 'e'], seededRandom(seed));
    const sim = createSimulation({ seed, link: { latency: [1, 20] } });
    const names = ['a', 'b', 'c', 'd', 'e'] as const;
    const quiet = { maxOutbound: 0, exchange: { enabled: false } };
    const [a] = await boot(sim, names, {
      peers: (name) => (name === 'a' ? { addressBook, maxOutbound: 2 } : quiet),
      durable: false,
    });
    const linked = () => connected(a, names);
    await sim.until(() => linked().length === 2);
    const [first, second] = linked();
    await sim.run(20_000);
    t.deepEqual(linked(), [first, second]);
    sim.partition(names.filter((name) => name !== first));
    await sim.until(() => linked().length === 2 && !linked().includes(first!));
    await sim.run(2 * MINUTE);
    sim.heal();
    await sim.until(() => linked().join() === [first, second].join(), MINUTE);
    t.is(a.peers.snapshot().outbound, 2);
    t.deepEqual(await sim.close(), []);
  }
});
