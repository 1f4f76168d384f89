// The counters of a Plumtree machine. Each counts messages, unless its comment mentions ids.

import type { OutputQueue } from '@trunkline/peers/internal';
import type { Misbehavior, PlumtreeOutput } from './message.ts';
import type { Neighbor } from './neighbor.ts';

export class PlumtreeCounters {
  published = 0;
  delivered = 0;
  duplicates = 0;
  /** Messages pushed, and how many of them were sent on demand. */
  pushed = 0;
  served = 0;
  /** Pushes that were refused because there was no room. */
  refused = 0;
  /** Control messages of all kinds: sent, and received. */
  controlSent = 0;
  controlReceived = 0;
  /** Ids in notices sent, and in notices received. */
  noticesSent = 0;
  noticesReceived = 0;
  /** Ids in notices that were dropped because too many waited for a peer. */
  noticesDropped = 0;
  /** Ids in notices and grafts that were ignored because there were too many. */
  ignored = 0;
  graftsSent = 0;
  graftsReceived = 0;
  prunesSent = 0;
  prunesReceived = 0;
  /** Grafts sent that moved the tree to a shorter path. */
  optimized = 0;
  /** Ids of messages that were requested without success and given up. */
  lost = 0;
  brokenPromises = 0;
  /** Messages that were evicted from the cache before their time. */
  evicted = 0;
  /** Messages refused: from a peer that is not a neighbor (`strangers`), or malformed. */
  strangers = 0;
  malformed = 0;
}

// Reports the misbehavior of neighbors: each kind at most once a second for each neighbor.

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
