// Tests of the search for a cycle of one kind. The tests of isolation levels cover the rest.

import test from 'ava';
import { type Dependency, KINDS } from './dependencies.ts';
import { Graph } from './graph.ts';

test('a cycle is found behind a dependency that is in no cycle of its kind', (t) => {
  const edge = (from: number, to: number): Dependency => ({ from, to, kind: KINDS.ww });
  const edges = [edge(0, 1), edge(1, 2), edge(2, 1)];
  const kind = { first: KINDS.ww, rest: KINDS.ww };
  t.deepEqual(new Graph({ edges, nodes: 3 }).cycle(kind), edges.slice(1));
});
