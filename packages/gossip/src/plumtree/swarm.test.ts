// Tests of Plumtree in simulated networks of 100 nodes.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { plumtreeOptions } from './options.ts';
import { mean, type RoundFigures, round, trial } from './testing/measure.ts';
import { Network } from './testing/network.ts';

const NODES = 100;

/**
 * The simulation of iroh-gossip: rounds of messages from these senders, over links of 10 to 100 ms.
 */
function rounds(
  seed: number,
  count: number,
  senders: (draw: () => number) => number[],
): RoundFigures[] {
  const network = trial({
    nodes: NODES,
    degree: 5,
    seed,
    latency: [10, 100],
    options: plumtreeOptions(),
  });
  const random = seededRandom(seed + 100);
  const draw = () => Math.floor(random() * NODES);
  return Array.from({ length: count }, () => round(network, senders(draw), 5_000));
}

for (const [title, count, lastHop, redundancy, senders] of [
  ['one sender', 30, 15, 0.2, () => [17]],
  ['many senders', 30, 18, 1, (draw: () => number) => [draw()]],
  ['a burst of everybody', 5, 30, 3, () => Array.from({ length: NODES }, (_, node) => node)],
] as const) {
  test(`100 nodes, ${title}: no message is missed, within iroh-gossip’s hops and redundancy`, (t) => {
    for (const seed of seeds(4)) {
      const figures = rounds(seed, count, senders);
      t.is(
        mean(figures, ({ missed }) => missed),
        0,
      );
      t.true(
        mean(figures, (figure) => figure.lastHop) < lastHop,
        `seed ${seed}: ${mean(figures, (figure) => figure.lastHop)} hops`,
      );
      t.true(
        mean(figures, (figure) => figure.redundancy) < redundancy,
        `seed ${seed}: ${mean(figures, (figure) => figure.redundancy)} redundancy`,
      );
    }
  });
}

test('two halves get each other’s messages as soon as one link joins them, including recent ones', (t) => {
  const network = new Network({ nodes: 6, random: seededRandom(1), latency: [10, 100] });
  for (const [a, b] of [
    [0, 1],
    [1, 2],
    [0, 2],
    [3, 4],
    [4, 5],
    [3, 5],
  ] as const)
    network.up(a, b);
  network.publish(0);
  network.run(1_000);
  const [first] = network.rounds.values();
  t.deepEqual([...first!.reached].toSorted(), [0, 1, 2]);
  network.up(1, 4);
  network.run(1_000);
  t.is(first!.reached.size, 6);
  network.publish(0);
  network.publish(5);
  network.run(1_000);
  for (const { reached } of network.rounds.values()) t.is(reached.size, 6);
  t.is(network.repeated, 0);
  for (const [node, machine] of network.machines.entries())
    t.is(machine.snapshot().neighbors.length, node === 1 || node === 4 ? 3 : 2);
});

test('both ends agree about each link once all is quiet', (t) => {
  const network = trial({
    nodes: NODES,
    degree: 5,
    seed: 5,
    latency: [10, 100],
    options: plumtreeOptions(),
  });
  for (let i = 0; i < 10; i++) round(network, [3], 5_000);
  const eager = new Set<string>();
  for (const [node, machine] of network.machines.entries()) {
    for (const { id, eager: isEager } of machine.snapshot().neighbors)
      if (isEager) eager.add(`n${node} ${id}`);
  }
  for (const link of eager) t.true(eager.has(link.split(' ').reverse().join(' ')), link);
  t.is(eager.size, 2 * (NODES - 1));
});

test('several streams at once build a tree that misses nothing and needs few grafts', (t) => {
  for (const seed of seeds(4)) {
    const network = trial({
      nodes: NODES,
      degree: 5,
      seed,
      latency: [10, 60],
      options: plumtreeOptions(),
    });
    for (let i = 0; i < 40; i++) {
      for (const sender of [1, 30, 60, 90]) network.publish(sender);
      network.run(20);
    }
    network.run(5_000);
    for (const { reached } of network.rounds.values()) t.is(reached.size, NODES);
    t.is(network.repeated, 0);
    t.true(network.payloads / (160 * (NODES - 1)) < 2.5);
  }
});
