// Tests of the measures of a graph.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Graph } from './graph.ts';

const ring = (size: number) =>
  Array.from({ length: size }, (_, i) => [(i + 1) % size, (i + size - 1) % size]);

test('a ring has no clusters, a diameter of half its length, and degree two everywhere', (t) => {
  const graph = new Graph(ring(10));
  t.is(graph.clustering(), 0);
  t.deepEqual(graph.paths(10), { mean: (1 + 1 + 2 + 2 + 3 + 3 + 4 + 4 + 5) / 9, longest: 5 });
  t.deepEqual(graph.inDegrees(), [0, 0, 10]);
  t.is(graph.fullSymmetric(2), 1);
  t.deepEqual(graph.components(), [10]);
  t.deepEqual(graph.floods(5, seededRandom(1)), { reliability: 1, lastHop: 5 });
});

test('a triangle with a tail: clustering is the mean over the nodes', (t) => {
  const graph = new Graph([[1, 2], [0, 2], [0, 1, 3], [2]]);
  t.is(graph.clustering(), (1 + 1 + 1 / 3 + 0) / 4);
  t.is(graph.fullSymmetric(2), 0.5);
});

test('a link that only one end has is not part of a symmetric view', (t) => {
  t.is(new Graph([[1], []]).fullSymmetric(1), 0);
});

test('on two islands a flood reaches only the part where it starts', (t) => {
  const graph = new Graph([[1], [0], [3, 4], [2, 4], [2, 3]]);
  t.deepEqual(graph.components(), [3, 2]);
  const { reliability } = graph.floods(3_000, seededRandom(2));
  t.true(Math.abs(reliability - (0.6 * 0.6 + 0.4 * 0.4)) < 0.02, `${reliability}`);
});
