// The shapes of partitions: who still reaches whom.

import type { Random } from '@trunkline/transport-core';
import { pick, shuffled } from '../world/chance.ts';
import type { Fault } from './fault.ts';

/** What makes a shape out of the nodes: the faults that begin it at once. `heal` ends it. */
export type Shape = (nodes: readonly string[], random: Random) => readonly Fault[];

/** Two sides, each of one node at least, of any sizes. Takes two nodes. */
export function twoSides(nodes: readonly string[], random: Random): Fault[] {
  const order = shuffled(nodes, random);
  const size = 1 + Math.floor(random() * (nodes.length - 1));
  return [{ do: 'partition', groups: [order.slice(0, size), order.slice(size)] }];
}

/** One node alone, the others together. Takes two nodes. */
export function oneAlone(nodes: readonly string[], alone: string): Fault[] {
  return [{ do: 'partition', groups: [nodes.filter((node) => node !== alone), [alone]] }];
}

/** Two halves that reach each other only through one node, which stands in both. Takes three nodes. */
export function bridgeBetween(nodes: readonly string[], random: Random): Fault[] {
  const [middle, ...others] = shuffled(nodes, random);
  const half = Math.ceil(others.length / 2);
  return [
    {
      do: 'partition',
      groups: [
        [...others.slice(0, half), middle!],
        [middle!, ...others.slice(half)],
      ],
    },
  ];
}

/**
 * Each node hears a majority, itself included, and no two the same one (after Jepsen's majorities-ring). The nodes stand in a ring, and
 * each reaches as many neighbours on either side as make a majority; where that is even, one more than it takes. Three nodes: each
 * hears the next one alone, which takes one-way cuts. Takes three nodes.
 */
export function ringOfMajorities(nodes: readonly string[], random: Random): Fault[] {
  const ring = shuffled(nodes, random);
  const node = (index: number) => ring[index % ring.length]!;
  if (ring.length === 3) return ring.map((from, index) => ({ do: 'cut', from, to: node(index + 1), direction: 'one-way' }));
  const majority = Math.floor(ring.length / 2) + 1;
  const reach = Math.floor(majority / 2);
  // Two nodes stand in one of these groups if they are at most `reach` steps apart.
  return [{ do: 'partition', groups: ring.map((_, index) => Array.from({ length: reach + 1 }, (_, step) => node(index + step))) }];
}

/** One direction is lost: all that a node sends, all that it is sent, or what it sends to one other. Takes two nodes. */
export function oneDirection(nodes: readonly string[], random: Random): Fault[] {
  const [one, ...others] = shuffled(nodes, random);
  const way = pick(['mute', 'deaf', 'link'], random);
  const cut = (from: string, to: string): Fault => ({ do: 'cut', from, to, direction: 'one-way' });
  if (way === 'link') return [cut(one!, others[0]!)];
  return others.map((other) => (way === 'mute' ? cut(one!, other) : cut(other, one!)));
}
