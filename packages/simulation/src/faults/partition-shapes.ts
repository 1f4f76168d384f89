// The shapes of partitions: they decide which nodes can still reach each other.

import type { Random } from '@trunkline/transport-core';
import { pick, shuffled } from '../kernel/distributions.ts';
import type { Fault } from './fault.ts';

/** Returns the faults that form a shape, all injected at once. `heal` ends it. */
export type Shape = (nodes: readonly string[], random: Random) => readonly Fault[];

/**
 * Splits the nodes into two sides of random sizes, each of at least one node. Takes at least two
 * nodes.
 */
export function twoSides(nodes: readonly string[], random: Random): Fault[] {
  const order = shuffled(nodes, random);
  const size = 1 + Math.floor(random() * (nodes.length - 1));
  return [{ do: 'partition', groups: [order.slice(0, size), order.slice(size)] }];
}

/** Isolates one node from the others, which stay together. Takes at least two nodes. */
export function oneAlone(nodes: readonly string[], alone: string): Fault[] {
  return [{ do: 'partition', groups: [nodes.filter((node) => node !== alone), [alone]] }];
}

/**
 * Splits the nodes into two halves that share one node and reach each other only through it. Takes
 * at least three nodes.
 */
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
 * Lets each node reach a majority, including itself, but no two nodes reach the same one (after
 * Jepsen's majorities-ring). The nodes form a ring, and each reaches enough neighbors on either
 * side for a majority; if that number is even, one more than needed. With three nodes, one-way cuts
 * keep each node from sending to the next one. Takes at least three nodes.
 */
export function ringOfMajorities(nodes: readonly string[], random: Random): Fault[] {
  const ring = shuffled(nodes, random);
  const node = (index: number) => ring[index % ring.length]!;
  if (ring.length === 3)
    return ring.map((from, index) => ({
      do: 'cut',
      from,
      to: node(index + 1),
      direction: 'one-way',
    }));
  const majority = Math.floor(ring.length / 2) + 1;
  const reach = Math.floor(majority / 2);
  // Two nodes share one of these groups if they are at most `reach` steps apart.
  return [
    {
      do: 'partition',
      groups: ring.map((_, index) =>
        Array.from({ length: reach + 1 }, (_, step) => node(index + step)),
      ),
    },
  ];
}

/**
 * Loses one direction: everything that a node sends, everything that is sent to it, or everything
 * that it sends to one other node. Takes at least two nodes.
 */
export function oneDirection(nodes: readonly string[], random: Random): Fault[] {
  const [one, ...others] = shuffled(nodes, random);
  const way = pick(['mute', 'deaf', 'link'], random);
  const cut = (from: string, to: string): Fault => ({ do: 'cut', from, to, direction: 'one-way' });
  if (way === 'link') return [cut(one!, others[0]!)];
  return others.map((other) => (way === 'mute' ? cut(one!, other) : cut(other, one!)));
}
