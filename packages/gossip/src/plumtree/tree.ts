// Decides which links belong to the tree, and informs the other end.

import type { OutputQueue } from '@trunkline/peers/internal';
import type { PlumtreeCounters } from './counters.ts';
import type { Control, PlumtreeOutput } from './message.ts';
import type { Neighbor } from './neighbor.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';

export interface TreeInit<P> {
  readonly outputs: OutputQueue<PlumtreeOutput<P>>;
  readonly counters: PlumtreeCounters;
  readonly outgoing: OutgoingMessages<P>;
  /** Milliseconds after a prune during which messages may still be in flight. */
  readonly settleTime: number;
  /** The neighbors, if only one of them may be pushed to. */
  readonly rivals: ReadonlyMap<string, Neighbor> | undefined;
}

export class Tree<P> {
  readonly #init: TreeInit<P>;

  constructor(init: TreeInit<P>) {
    this.#init = init;
  }

  /** Makes the link part of the tree at this end. */
  graft(neighbor: Neighbor): void {
    if (neighbor.eager) return;
    for (const rival of this.#init.rivals?.values() ?? []) this.leave(rival);
    neighbor.eager = true;
    this.#init.outputs.add({ type: 'grafted', peer: neighbor.id });
  }

  /** Takes the link out of the tree at this end, as the other end requested. */
  leave(neighbor: Neighbor): void {
    if (!neighbor.eager) return;
    neighbor.eager = false;
    this.#init.outputs.add({ type: 'pruned', peer: neighbor.id });
  }

  /** Takes the link out of the tree, and informs the other end. */
  prune(neighbor: Neighbor, now: number): void {
    neighbor.duplicatesInRow = 0;
    this.#init.outgoing.control(neighbor, PRUNE);
    this.#init.counters.prunesSent++;
    neighbor.prunedAt = now;
    this.leave(neighbor);
  }

  /**
   * Called when no room was left for the prune, so the other end continues to push until the next
   * duplicate.
   */
  pruneUnsent(neighbor: Neighbor): void {
    this.#init.counters.prunesSent--;
    neighbor.prunedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Returns true if this end pruned the link a moment ago, so that pushes may still be in flight.
   */
  isSettling(neighbor: Neighbor, now: number): boolean {
    return now - neighbor.prunedAt < this.#init.settleTime;
  }
}

const PRUNE: Control = { kind: 'prune' };
