// The view of a node that only publishes on a topic: it knows the connected subscribers, and a few
// of them are its neighbors. It sends no messages, because the subscribers keep no links to it.

import { type Machine, OutputQueue } from '@trunkline/peers/internal';
import type { Random, TransportError } from '@trunkline/transport-core';
import { sample } from '../hyparview/chance.ts';
import type { DownCause, PartialViewInput, PartialViewOutput } from '../hyparview/interface.ts';

export class SubscriberView implements Machine<PartialViewInput, PartialViewOutput> {
  readonly wakeAt = Number.POSITIVE_INFINITY;
  readonly #most: number;
  readonly #random: Random;
  readonly #isDistrusted: (peer: string) => boolean;
  readonly #outputs = new OutputQueue<PartialViewOutput>();
  readonly #subscribers = new Set<string>();
  readonly #neighbors = new Set<string>();

  /**
   * @param most the maximum number of neighbors
   * @param isDistrusted returns true for the subscribers to choose last
   */
  constructor(most: number, random: Random, isDistrusted: (peer: string) => boolean) {
    this.#isDistrusted = isDistrusted;
    this.#most = most;
    this.#random = random;
  }

  handle(_now: number, input: PartialViewInput): void {
    switch (input.type) {
      case 'found':
        for (const peer of input.nodes) this.#subscribers.add(peer);
        return this.#fill();
      case 'lost':
        return this.#remove(input.peer, input.error === undefined ? 'left' : 'lost', input.error);
      case 'distrusted':
        return this.#replace();
      case 'dismiss':
        return this.#remove(input.peer, 'evicted');
      case 'leave':
        this.#subscribers.clear();
        for (const peer of this.active()) this.#remove(peer, 'closed');
        return;
    }
  }

  poll(): PartialViewOutput | undefined {
    return this.#outputs.poll();
  }

  active(): string[] {
    return [...this.#neighbors];
  }

  /** The connected subscribers that are no neighbors. */
  passive(): string[] {
    return [...this.#subscribers].filter((peer) => !this.#neighbors.has(peer));
  }

  isNeighbor(peer: string): boolean {
    return this.#neighbors.has(peer);
  }

  /** Always false: no subscriber asks this node for a link. */
  isPressed(): boolean {
    return false;
  }

  #fill(): void {
    const count = this.#most - this.#neighbors.size;
    const others = sample(this.passive(), Number.POSITIVE_INFINITY, this.#random);
    const trusted = others.filter((peer) => !this.#isDistrusted(peer));
    const distrusted = others.filter(this.#isDistrusted);
    for (const peer of [...trusted, ...distrusted].slice(0, count)) {
      this.#neighbors.add(peer);
      this.#outputs.add({ type: 'neighbor-up', peer });
    }
  }

  /** Replaces a distrusted neighbor if a trusted subscriber is left. */
  #replace(): void {
    const distrusted = this.active().find(this.#isDistrusted);
    if (distrusted === undefined || this.passive().every(this.#isDistrusted)) return;
    this.#remove(distrusted, 'evicted');
    this.#subscribers.add(distrusted);
  }

  #remove(peer: string, cause: DownCause, error?: TransportError): void {
    this.#subscribers.delete(peer);
    if (!this.#neighbors.delete(peer)) return;
    this.#outputs.add({ type: 'neighbor-down', peer, cause, error });
    this.#fill();
  }
}
