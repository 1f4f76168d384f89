// Reports the misbehavior of neighbors: each kind at most once a second for each neighbor.

import type { OutputQueue } from '@trunkline/peers/internal';
import type { PlumtreeCounters } from './counters.ts';
import type { Misbehavior, PlumtreeOutput } from './interface.ts';
import type { Neighbor } from './neighbor.ts';

export class Reports<P> {
  readonly #outputs: OutputQueue<PlumtreeOutput<P>>;
  readonly #counters: PlumtreeCounters;

  constructor(outputs: OutputQueue<PlumtreeOutput<P>>, counters: PlumtreeCounters) {
    this.#outputs = outputs;
    this.#counters = counters;
  }

  add(neighbor: Neighbor, what: Misbehavior, now: number): void {
    if (neighbor.quota.isNews(what, now))
      this.#outputs.add({ type: 'misbehaved', peer: neighbor.id, what });
  }

  malformed(neighbor: Neighbor, now: number): void {
    this.#counters.malformed++;
    this.add(neighbor, 'malformed', now);
  }
}
