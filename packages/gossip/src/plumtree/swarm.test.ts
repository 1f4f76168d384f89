// Tests of Plumtree in simulated networks of 100 nodes.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { round, trial } from './testing/measure.ts';

const NODES = 100;

// The simulation of iroh-gossip: rounds of messages from these senders, over links of 10 to 100 ms.
for (const [title, count, lastHop, redundancy, senders] of [
  ['one sender', 30, 15, 0.2, () => [17]],
  ['many senders', 30, 18, 1, (draw: () => number) => [draw()]],
  ['a burst of everybody', 5, 30, 3, () => Array.from({ length: NODES }, (_, node) => node)],
] as const) {
  test(`100 nodes, ${title}: no message is missed, within iroh-gossip’s hops and redundancy`, (t) => {
    for (const seed of seeds(4)) {
      const network = trial({ nodes: NODES, degree: 5, seed, latency: [10, 100] });
      const random = seededRandom(seed + 100);
      const draw = () => Math.floor(random() * NODES);
      const figures = Array.from({ length: count }, () => round(network, senders(draw), 5_000));
      const mean = (of: 'lastHop' | 'redundancy') =>
        figures.reduce((sum, each) => sum + each[of], 0) / count;
      t.true(figures.every(({ missed }) => missed === 0));
      t.true(mean('lastHop') < lastHop, `seed ${seed}: ${mean('lastHop')} hops`);
      t.true(mean('redundancy') < redundancy, `seed ${seed}: ${mean('redundancy')} redundancy`);
    }
  });
}

test('both ends agree about each link once all is quiet', (t) => {
  const network = trial({ nodes: NODES, degree: 5, seed: 5, latency: [10, 100] });
  for (let i = 0; i < 10; i++) round(network, [3], 5_000);
  const eager = new Set<string>();
  for (const [node, machine] of network.machines.entries()) {
    for (const { id, eager: isEager } of machine.snapshot().neighbors)
      if (isEager) eager.add(`n${node} ${id}`);
  }
  for (const link of eager) t.true(eager.has(link.split(' ').reverse().join(' ')), link);
  t.is(eager.size, 2 * (NODES - 1));
});
