// Random links, the same in every run, for adapters without an overlay of their own.

import { seededRandom } from '@trunkline/transport-core/testing';

/**
 * Returns which earlier nodes each node dials. The links are rings through all nodes in random
 * orders, two links for each node, and random pairs if `degree` is odd: so the graph is connected,
 * with short paths. Duplicate links leave some nodes with fewer.
 */
export function randomLinks(nodes: number, degree: number): number[][] {
  const random = seededRandom(1);
  const dials = Array.from({ length: nodes }, () => new Set<number>());
  const link = (one: number, other: number) =>
    one !== other && dials[Math.max(one, other)]!.add(Math.min(one, other));
  for (let links = 0; links < degree; links += 2) {
    const order = shuffled(nodes, random);
    const isRing = links + 2 <= degree;
    // With an odd number of nodes one node stays without a partner.
    for (let at = 0; isRing ? at < nodes : at + 1 < nodes; at += isRing ? 1 : 2)
      link(order[at]!, order[(at + 1) % nodes]!);
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
