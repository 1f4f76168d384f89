// The figures of the HyParView paper at its own size, measured with the real machines.
// docs/gossip-evaluation.md holds the figures.

import test from 'ava';
import { Cycles } from './cycles.ts';

test('ten thousand nodes have few clusters, short paths and full symmetric views; if half of them fail, none misses a message', (t) => {
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

/** Timeout in milliseconds for a busy machine; the test takes 5 s to 10 s otherwise. */
const SLOW = 300_000;
