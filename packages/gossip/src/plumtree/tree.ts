// The links of a Plumtree machine: its neighbors, which of their links belong to the tree, the
// control messages to them, and the reports about them.

import { OutputQueue } from '@trunkline/peers/internal';
import type { MessageId } from '../messages/message-id.ts';
import { type Control, type Misbehavior, NOTICE_BYTES, type PlumtreeOutput } from './message.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';

/**
 * The state that all parts of a machine share: the options, the counters, the outputs and the
 * neighbors.
 */
export class Tree<P> {
  readonly options: PlumtreeOptions;
  /** True if this node only publishes: it pushes to a single neighbor, and gets nothing. */
  readonly isSource: boolean;
  readonly counters = new PlumtreeCounters();
  readonly outputs = new OutputQueue<PlumtreeOutput<P>>();
  readonly neighbors = new Map<string, Neighbor>();
  /** Maximum number of ids in one control message. */
  readonly idsEach: number;

  constructor(options: PlumtreeOptions, isSource: boolean) {
    this.options = options;
    this.isSource = isSource;
    this.idsEach = Math.floor(options.controlSize / NOTICE_BYTES);
  }

  /** Makes the link part of the tree at this end. */
  graft(neighbor: Neighbor): void {
    if (neighbor.eager) return;
    if (this.isSource) for (const rival of this.neighbors.values()) this.leave(rival);
    neighbor.eager = true;
    this.outputs.add({ type: 'grafted', peer: neighbor.id });
  }

  /** Takes the link out of the tree at this end only. */
  leave(neighbor: Neighbor): void {
    if (!neighbor.eager) return;
    neighbor.eager = false;
    this.outputs.add({ type: 'pruned', peer: neighbor.id });
  }

  /** Takes the link out of the tree, and informs the other end. */
  prune(neighbor: Neighbor, now: number): void {
    neighbor.duplicatesInRow = 0;
    this.send(neighbor, PRUNE);
    this.counters.prunesSent++;
    neighbor.prunedAt = now;
    this.leave(neighbor);
  }

  /**
   * Called when no room was left for the prune, so the other end continues to push until the next
   * duplicate.
   */
  pruneUnsent(neighbor: Neighbor): void {
    this.counters.prunesSent--;
    neighbor.prunedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Returns true if this end pruned the link a moment ago, so that pushes may still be in flight.
   */
  isSettling(neighbor: Neighbor, now: number): boolean {
    return now - neighbor.prunedAt < this.options.settleTime;
  }

  /** Makes the link part of the tree at the other end, and asks for these messages. */
  sendGraft(neighbor: Neighbor, ids: readonly MessageId[]): void {
    this.send(neighbor, { kind: 'graft', ids });
    this.counters.graftsSent++;
  }

  /** Sends a control message. */
  send(neighbor: Neighbor, control: Control): void {
    this.outputs.add({ type: 'send-control', to: neighbor.id, control });
    this.counters.controlSent++;
  }

  /** Reports misbehavior: each kind at most once a second for each neighbor. */
  report(neighbor: Neighbor, what: Misbehavior, now: number): void {
    if (neighbor.quota.isNews(what, now))
      this.outputs.add({ type: 'misbehaved', peer: neighbor.id, what });
  }

  reportMalformed(neighbor: Neighbor, now: number): void {
    this.counters.malformed++;
    this.report(neighbor, 'malformed', now);
  }
}

const PRUNE: Control = { kind: 'prune' };

/** The counters of a Plumtree machine. Each counts messages, unless its comment mentions ids. */
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
  /** Number of times that a link was exchanged for one with a shorter path to the publisher. */
  optimized = 0;
  /**
   * Ids of announced messages that were given up, because no peer that announced them sent them.
   */
  lost = 0;
  brokenPromises = 0;
  /** Messages that were evicted from the cache before their time. */
  evicted = 0;
  /** Messages refused: from a peer that is not a neighbor (`strangers`), or malformed. */
  strangers = 0;
  malformed = 0;
}
