// Tests of the scenarios of peers with fewer nodes and seeds than the evaluation has: networks that
// are partitioned for a long time, whose nodes come and go, or whose nodes start at once.

import ava from 'ava';
import { churn } from './peers/churn.ts';
import { heal } from './peers/heal.ts';
import { storm } from './peers/storm.ts';

/** These tests run one at a time. */
const test = ava.serial;

const MINUTE = 60_000;

for (const [knows, whom] of [
  ['common', 'the same node'],
  ['earlier', 'some other node'],
] as const) {
  test(`with room for all, every pair is linked within a minute of a partition’s end: each knows ${whom}`, async (t) => {
    for (const seed of [1, 2]) {
      const { healed, parts } = await heal({ seed, nodes: 40, caps: 'all', knows });
      t.deepEqual(parts, [28], `seed ${seed}`);
      t.true(healed !== undefined && healed <= MINUTE, `seed ${seed}: ${healed} ms`);
    }
  });

  test(`with few links each, all form one graph and have as many links as they want within a minute: each knows ${whom}`, async (t) => {
    for (const seed of [1, 2, 3]) {
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
    const { joined, killed, last, most } = await storm(1, nodes);
    t.true(joined !== undefined && joined <= 10_000, `${joined} ms`);
    t.deepEqual([killed, last], [[nodes - 1], [nodes - 1]]);
    t.is(most, 40, 'the default node has no more inbound peers than its limit');
  });
