// Which links are of the tree, and what tells the other end.

import type { PlumtreeCounters } from './counters.ts';
import type { PlumtreeHost } from './host.ts';
import type { Control } from './message.ts';
import type { Neighbour } from './neighbour.ts';
import type { Outgoing } from './outgoing.ts';

export interface TreeInit<P> {
  readonly host: PlumtreeHost<P>;
  readonly counters: PlumtreeCounters;
  readonly outgoing: Outgoing<P>;
  /** Milliseconds. */
  readonly settleTime: number;
}

export class Tree<P> {
  readonly #init: TreeInit<P>;

  constructor(init: TreeInit<P>) {
    this.#init = init;
  }

  /** The link is one of the tree. */
  graft(neighbour: Neighbour): void {
    if (neighbour.eager) return;
    neighbour.eager = true;
    this.#init.host.grafted?.(neighbour.id);
  }

  /** The link is no longer one of the tree: the other end said so. */
  leave(neighbour: Neighbour): void {
    if (!neighbour.eager) return;
    neighbour.eager = false;
    this.#init.host.pruned?.(neighbour.id);
  }

  /** It isn't, and the other end is told. */
  prune(neighbour: Neighbour, now: number): void {
    neighbour.duplicatesInRow = 0;
    if (this.#init.outgoing.control(neighbour, PRUNE)) {
      this.#init.counters.prunesSent++;
      neighbour.prunedAt = now;
    }
    this.leave(neighbour);
  }

  /** Pruned a moment ago by this end: pushes may still be on their way. */
  isSettling(neighbour: Neighbour, now: number): boolean {
    return now - neighbour.prunedAt < this.#init.settleTime;
  }
}

const PRUNE: Control = { kind: 'prune' };
