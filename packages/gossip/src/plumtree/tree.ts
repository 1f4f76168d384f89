// Decides which links belong to the tree, and tells the other end.

import type { PlumtreeCounters } from './counters.ts';
import type { PlumtreeHost } from './host.ts';
import type { Control } from './message.ts';
import type { Neighbour } from './neighbour.ts';
import type { Outgoing } from './outgoing.ts';

export interface TreeInit<P> {
  readonly host: PlumtreeHost<P>;
  readonly counters: PlumtreeCounters;
  readonly outgoing: Outgoing<P>;
  /** Milliseconds after a prune during which messages may still be in flight. */
  readonly settleTime: number;
}

export class Tree<P> {
  readonly #init: TreeInit<P>;

  constructor(init: TreeInit<P>) {
    this.#init = init;
  }

  /** Makes the link part of the tree at this end. */
  graft(neighbour: Neighbour): void {
    if (neighbour.eager) return;
    neighbour.eager = true;
    this.#init.host.grafted?.(neighbour.id);
  }

  /** Takes the link out of the tree at this end; the other end asked for it. */
  leave(neighbour: Neighbour): void {
    if (!neighbour.eager) return;
    neighbour.eager = false;
    this.#init.host.pruned?.(neighbour.id);
  }

  /** Takes the link out of the tree, and tells the other end. */
  prune(neighbour: Neighbour, now: number): void {
    neighbour.duplicatesInRow = 0;
    if (this.#init.outgoing.control(neighbour, PRUNE)) {
      this.#init.counters.prunesSent++;
      neighbour.prunedAt = now;
    }
    this.leave(neighbour);
  }

  /**
   * Returns true if this end pruned the link a moment ago, so that pushes may still be in flight.
   */
  isSettling(neighbour: Neighbour, now: number): boolean {
    return now - neighbour.prunedAt < this.#init.settleTime;
  }
}

const PRUNE: Control = { kind: 'prune' };
