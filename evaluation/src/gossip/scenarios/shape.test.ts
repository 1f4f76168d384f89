// The shape of the HyParView overlay at a tenth of the paper's size; shape.nightly.test.ts has the
// full size.

import test from 'ava';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import { seeds } from '../../../../packages/gossip/dist/testing/seeds.js';
import { Graph } from './graph.ts';

test('a thousand nodes have the same shape', (t) => {
  t.timeout(SLOW);
  for (const seed of seeds(3)) {
    const graph = new Graph(new Cycles({ nodes: 1_000, seed }).build(20).links());
    t.deepEqual(graph.components(), [1_000]);
    // A random graph of that degree has 4 ÷ 1,000.
    t.true(graph.clustering() < 0.008, `${graph.clustering()}`);
    t.true(graph.paths(100).mean < 4.9);
    t.true(graph.fullSymmetric(5) >= 0.99);
    t.deepEqual(graph.inDegrees().slice(0, 4), [0, 0, 0, 0]);
  }
});

/** Timeout in milliseconds for a busy machine; the test takes 5 s to 10 s otherwise. */
const SLOW = 300_000;
