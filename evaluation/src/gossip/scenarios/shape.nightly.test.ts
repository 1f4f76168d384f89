// Tests of the overlay with thousands of nodes: its shape, at the size of the HyParView paper, and
// what is left of it after nodes fail, whether their neighbors notice it or not.
// docs/gossip-evaluation.md holds the figures.

import test from 'ava';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import { Graph } from './graph.ts';

test('ten thousand nodes have few clusters, short paths and full symmetric views; if half of them fail, none misses a message', (t) => {
  t.timeout(SLOW);
  const net = new Cycles({ nodes: 10_000, seed: 1 }).build(10);
  const graph = new Graph(net.links());
  t.deepEqual(graph.components(), [10_000]);
  t.true(graph.clustering() < 0.0015, `${graph.clustering()}`);
  const { mean: path, longest } = graph.paths(30);
  t.true(path >= 6.3 && path <= 6.5, `${path}`);
  t.true(longest <= 10, `${longest}`);
  t.true(graph.fullSymmetric(5) >= 0.995, `${graph.fullSymmetric(5)}`);
  net.fail(net.draw(0.5), true);
  t.true(new Graph(net.links()).floods(100, net.random).reliability >= 0.9999);
});

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('at 95 percent the views alone reach most live nodes, and with an address book all of them', (t) => {
  t.timeout(SLOW);
  const reliability = (seed: number, book: number) => {
    const net = new Cycles({ nodes: 2_000, seed, book }).build(12);
    net.fail(net.draw(0.95), true);
    return new Graph(net.links()).floods(1_000, net.random).reliability;
  };
  const alone = [1, 2, 3, 4].map((seed) => reliability(seed, 0));
  t.true(Math.min(...alone) >= 0.8, `${alone}`);
  t.true(mean(alone) >= 0.86, `${alone}`);
  const helped = [1, 2, 3, 4].map((seed) => reliability(seed, 200));
  t.true(mean(helped) >= 0.97, `${helped}`);
});

test('dead nodes that nobody reports are found by writing to them: every view is correct a few cycles later', (t) => {
  t.timeout(SLOW);
  for (const notice of ['write', 'later'] as const) {
    const net = new Cycles({ nodes: 500, seed: 9, notice }).build(12);
    net.fail(net.draw(0.5), false);
    for (let cycle = 0; cycle < 10; cycle++) net.cycle();
    t.deepEqual(net.oneSided(), []);
    t.deepEqual(new Graph(net.links()).components(), [250]);
  }
});

/** Timeout in milliseconds for a busy machine; each test takes 5 s to 10 s otherwise. */
const SLOW = 300_000;
