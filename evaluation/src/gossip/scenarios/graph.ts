// Measures of a graph of links.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';

export class Graph {
  readonly #neighbors: readonly (readonly number[])[];
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #distance: Int32Array;
  readonly #queue: Int32Array;

  constructor(neighbors: readonly (readonly number[])[]) {
    this.#neighbors = neighbors;
    this.#starts = new Int32Array(neighbors.length + 1);
    for (const [node, list] of neighbors.entries())
      this.#starts[node + 1] = this.#starts[node]! + list.length;
    this.#ends = Int32Array.from(neighbors.flat());
    this.#distance = new Int32Array(neighbors.length);
    this.#queue = new Int32Array(neighbors.length);
  }

  get size(): number {
    return this.#neighbors.length;
  }

  /**
   * Returns the clustering coefficient of Watts and Strogatz: the share of a node's pairs of
   * neighbors that are neighbors of each other, averaged over all nodes.
   */
  clustering(): number {
    let sum = 0;
    for (const list of this.#neighbors) {
      let linked = 0;
      for (const a of list)
        for (const b of list) if (a !== b && this.#neighbors[a]!.includes(b)) linked++;
      if (list.length > 1) sum += linked / (list.length * (list.length - 1));
    }
    return sum / this.size;
  }

  /**
   * Returns the mean and the maximum length of the shortest paths from `sources` random nodes to
   * all nodes that they reach.
   */
  paths(sources: number, seed = 1): { readonly mean: number; readonly longest: number } {
    const random = seededRandom(seed);
    let [sum, count, longest] = [0, 0, 0];
    for (let i = 0; i < sources; i++) {
      const reached = this.#walk(Math.floor(random() * this.size));
      for (let j = 1; j < reached; j++) {
        const distance = this.#distance[this.#queue[j]!]!;
        sum += distance;
        if (distance > longest) longest = distance;
      }
      count += reached - 1;
    }
    return { mean: sum / count, longest };
  }

  /**
   * Returns, for each number of incoming links (0, 1, …), the number of nodes with that many links.
   */
  inDegrees(): number[] {
    const degrees = new Int32Array(this.size);
    for (const end of this.#ends) degrees[end]!++;
    const counts: number[] = [];
    for (const degree of degrees) counts[degree] = (counts[degree] ?? 0) + 1;
    return Array.from(counts, (count) => count ?? 0);
  }

  /** Returns the share of nodes that have `degree` links, each known at both ends. */
  fullSymmetric(degree: number): number {
    const isFull = (node: number) =>
      this.#neighbors[node]!.length === degree &&
      this.#neighbors[node]!.every((peer) => this.#neighbors[peer]!.includes(node));
    return (
      this.#neighbors.reduce((count, _, node) => count + (isFull(node) ? 1 : 0), 0) / this.size
    );
  }

  /** Returns the sizes of the connected components, the largest first. */
  components(): number[] {
    const seen = new Uint8Array(this.size);
    const sizes: number[] = [];
    for (let node = 0; node < this.size; node++) {
      if (seen[node] === 1) continue;
      const reached = this.#walk(node);
      let fresh = 0;
      for (let j = 0; j < reached; j++) {
        if (seen[this.#queue[j]!] === 0) fresh++;
        seen[this.#queue[j]!] = 1;
      }
      sizes.push(fresh);
    }
    return sizes.sort((a, b) => b - a);
  }

  /**
   * Returns the mean share of nodes that floods from `count` random nodes reach, and the mean of
   * their last hops.
   */
  floods(
    count: number,
    random: Random,
  ): { readonly reliability: number; readonly lastHop: number } {
    let [reached, hops] = [0, 0];
    for (let i = 0; i < count; i++) {
      const size = this.#walk(Math.floor(random() * this.size));
      reached += size;
      hops += this.#distance[this.#queue[size - 1]!]!;
    }
    return { reliability: reached / count / this.size, lastHop: hops / count };
  }

  /**
   * Walks breadth first from a node. Fills the queue and the distances, and returns the number of
   * nodes reached.
   */
  #walk(source: number): number {
    const [starts, ends, distance, queue] = [this.#starts, this.#ends, this.#distance, this.#queue];
    distance.fill(-1);
    distance[source] = 0;
    queue[0] = source;
    let size = 1;
    for (let head = 0; head < size; head++) {
      const node = queue[head]!;
      const next = distance[node]! + 1;
      for (let i = starts[node]!; i < starts[node + 1]!; i++) {
        const peer = ends[i]!;
        if (distance[peer] !== -1) continue;
        distance[peer] = next;
        queue[size++] = peer;
      }
    }
    return size;
  }
}
