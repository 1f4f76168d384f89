// Links at random, the same at each run, for what has no overlay of its own.

import { seededRandom } from '@trunkline/transport-core';

/**
 * Which of those before it each node dials. Rings through all nodes in random orders, of two links each, and where `degree` is odd random pairs: so
 * all hang together, by short ways. Links that come twice leave some nodes with fewer.
 */
export function randomLinks(nodes: number, degree: number): number[][] {
  const random = seededRandom(1);
  const dials = Array.from({ length: nodes }, () => new Set<number>());
  const link = (one: number, other: number) => one !== other && dials[Math.max(one, other)]!.add(Math.min(one, other));
  for (let links = 0; links < degree; links += 2) {
    const order = shuffled(nodes, random);
    const isRing = links + 2 <= degree;
    // Of an odd number one has nobody to be paired with.
    for (let at = 0; isRing ? at < nodes : at + 1 < nodes; at += isRing ? 1 : 2) link(order[at]!, order[(at + 1) % nodes]!);
  }
  return dials.map((set) => [...set]);
}

function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
