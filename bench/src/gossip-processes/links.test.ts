// Tests that random links connect all nodes with at most the wanted degree.

import test from 'ava';
import { randomLinks } from './links.ts';

test('each node dials earlier nodes, all are connected, and none has more links than wanted', (t) => {
  for (const nodes of [2, 3, 10, 51]) {
    const dials = randomLinks(nodes, 5);
    const links = new Array<number>(nodes).fill(0);
    const reached = new Set([0]);
    for (let round = 0; round < nodes; round++) {
      dials.forEach((others, node) => {
        for (const other of others)
          if (reached.has(node) || reached.has(other)) reached.add(node).add(other);
      });
    }
    dials.forEach((others, node) => {
      for (const other of others) {
        t.true(other < node);
        links[node]!++;
        links[other]!++;
      }
    });
    t.is(reached.size, nodes);
    t.true(Math.max(...links) <= 5, `${nodes} nodes: ${links}`);
  }
});
