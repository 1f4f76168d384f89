// Tests of Plumtree in networks that split and join, and in which links and nodes fail.

import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { seeds } from '../testing/seeds.ts';
import { trial } from './testing/measure.ts';
import type { Network, NetworkOptions } from './testing/network.ts';
import { partsOf } from './testing/overlay.ts';

const NODES = 40;

const network = (seed: number, hardship: Partial<NetworkOptions> = {}) =>
  trial({ nodes: NODES, degree: 5, seed, latency: [10, 100], ...hardship });

function allReached(t: ExecutionContext, made: Network, what: string): void {
  for (const [key, { reached }] of made.rounds)
    if (reached.size !== NODES) t.fail(`${what}: ${key} reached ${reached.size}`);
  t.is(made.repeated, 0, what);
}

for (const [title, hardship] of [
  ['loss', { loss: 0.05 }],
  ['duplication', { duplication: 0.3 }],
  ['reordering', { jitter: 300 }],
  ['congestion', { congestion: 0.3 }],
  ['all of them', { loss: 0.03, duplication: 0.1, jitter: 200, congestion: 0.2 }],
] as const) {
  test(`with ${title} every message reaches every node once, while it is cached`, (t) => {
    for (const seed of seeds(12)) {
      const made = network(seed, hardship);
      const random = seededRandom(seed);
      for (let i = 0; i < 20; i++) {
        made.publish(Math.floor(random() * NODES));
        made.run(random() * 200);
      }
      made.run(30_000);
      allReached(t, made, `seed ${seed}`);
    }
  });
}

test('if links go down and up, every message finally reaches every connected node', (t) => {
  for (const seed of seeds(20)) {
    const made = network(seed, { jitter: 50, congestion: 0.1 });
    const { links } = made;
    const random = seededRandom(seed + 1_000);
    const down = new Set<readonly [number, number]>();
    for (let i = 0; i < 60; i++) {
      const link = links[Math.floor(random() * links.length)]!;
      if (down.delete(link)) made.up(...link);
      else {
        down.add(link);
        made.down(...link);
      }
      if (i % 3 === 0) made.publish(Math.floor(random() * NODES));
      made.run(random() * 150);
    }
    for (const link of down) made.up(...link);
    t.is(partsOf(NODES, links).length, 1);
    made.run(20_000);
    allReached(t, made, `seed ${seed}`);
  }
});

test('separated parts get the messages that they missed if they meet while those are cached', (t) => {
  for (const seed of seeds(10)) {
    const made = network(seed);
    made.publish(0);
    made.run(2_000);
    const between = made.links.filter(([a, b]) => a < NODES / 2 !== b < NODES / 2);
    for (const link of between) made.down(...link);
    for (let i = 0; i < 30; i++) {
      made.publish(i);
      made.run(100);
    }
    made.run(20_000);
    for (const link of between) made.up(...link);
    made.run(5_000);
    allReached(t, made, `seed ${seed}`);
  }
});

test('if nodes vanish unnoticed, notices make up for them: no connected node loses a message', (t) => {
  for (const seed of seeds(10)) {
    const made = network(seed);
    for (let i = 0; i < 3; i++) {
      made.publish(39);
      made.run(2_000);
    }
    const gone = 12;
    for (let node = 0; node < gone; node++) made.replace(node, () => false);
    const left = made.links.filter(([a, b]) => a >= gone && b >= gone);
    const part = partsOf(NODES, left).find((nodes) => nodes.includes(39))!;
    made.resetTraffic();
    for (let i = 0; i < 5; i++) {
      made.publish(39);
      made.run(2_000);
    }
    for (const { reached } of made.rounds.values())
      for (const node of part) t.true(reached.has(node), `seed ${seed}: ${node}`);
  }
});
