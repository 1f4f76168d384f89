// The figures of the HyParView paper, by the machines that ship. The limits are those of the design; docs hold the figures themselves.

import test from 'ava';
import { Cycles } from './cycles.ts';

test('ten thousand nodes: few clusters, short paths, full symmetric views; half of them fail, and nobody misses a message', (t) => {
  t.timeout(SLOW);
  const net = new Cycles({ nodes: 10_000, seed: 1 }).build(10);
  const graph = net.graph();
  t.deepEqual(graph.components(), [10_000]);
  t.true(graph.clustering() < 0.0015, `${graph.clustering()}`);
  const { mean: path, longest } = graph.paths(30);
  t.true(path >= 6.3 && path <= 6.5, `${path}`);
  t.true(longest <= 10, `${longest}`);
  t.true(graph.fullSymmetric(5) >= 0.995, `${graph.fullSymmetric(5)}`);
  net.fail(net.draw(0.5), true);
  t.true(net.graph().floods(100, net.random).reliability >= 0.9999);
});

test('a thousand nodes: the same shape', (t) => {
  t.timeout(SLOW);
  for (const seed of [1, 2, 3]) {
    const graph = new Cycles({ nodes: 1_000, seed }).build(20).graph();
    t.deepEqual(graph.components(), [1_000]);
    // A random graph of that degree has 4 ÷ 1,000.
    t.true(graph.clustering() < 0.008, `${graph.clustering()}`);
    t.true(graph.paths(100).mean < 4.9);
    t.true(graph.fullSymmetric(5) >= 0.99);
    t.deepEqual(graph.inDegrees().slice(0, 4), [0, 0, 0, 0]);
  }
});

/** Milliseconds on a busy machine; 5 s to 10 s otherwise. */
const SLOW = 300_000;
