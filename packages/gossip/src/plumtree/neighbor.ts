// The state that a Plumtree machine keeps for one peer: whether the link belongs to the tree, what
// waits to be sent to the peer, and what the peer has sent and received.

import { dropOldest } from '../messages/oldest-first.ts';
import type { GaveOutput, Misbehavior, NeighborAccount, Notice } from './message.ts';

/** One peer of a Plumtree machine. */
export class Neighbor {
  readonly id: string;
  /** True if the peer only publishes: it gets nothing unless it asks, and its link isn't pruned. */
  readonly isSource: boolean;
  readonly quota: Quota;
  /**
   * The output that reports that the peer passes messages on. It is the same object for each
   * message.
   */
  readonly gave: GaveOutput;
  /**
   * True if the link belongs to the tree, as far as this end knows: messages are pushed over it.
   * Otherwise the peer gets notices. A new link belongs to the tree until a duplicate comes over
   * it.
   */
  eager = true;
  /** Time at which this end pruned the link; −Infinity if never. */
  prunedAt = Number.NEGATIVE_INFINITY;
  /** Duplicates since the peer last brought something new. */
  duplicatesInRow = 0;
  /** True if there is no room for messages until the input `writable`. */
  blocked = false;
  /** True if there is no room for control messages either. */
  stuck = false;
  /** Notices that wait to be sent. */
  notices: Notice[] = [];
  /**
   * Messages for which there was no room, the oldest first: key → true if the peer had asked for
   * it.
   */
  owed: Map<string, boolean> | undefined;
  /** Number of promises broken since the peer last kept one. */
  brokenInRow = 0;
  /**
   * Number of messages that were pushed or announced to the peer since it last showed that it has
   * or wants any, and the time at which the first of them was sent.
   */
  unanswered = 0;
  unansweredSince = 0;
  /**
   * Time at which the peer was asked whether it listens; undefined if it was not asked, or has
   * answered.
   */
  triedAt: number | undefined;
  /**
   * The number of times that the peer has answered that question, and the time before which it
   * isn't asked again.
   */
  leafProbes = 0;
  untriedUntil = Number.NEGATIVE_INFINITY;
  readonly account: NeighborAccount = {
    delivered: 0,
    duplicates: 0,
    noticed: 0,
    pushed: 0,
    announced: 0,
    requested: 0,
    broken: 0,
    kept: 0,
  };
  /**
   * The peer that this one replaced in the tree, in the last optimization for which this one was
   * sent a graft. It returns to the tree if there was no room for that graft.
   */
  replaces: string | undefined;

  constructor(id: string, isSource = false, quota = new Quota()) {
    this.id = id;
    this.isSource = isSource;
    this.gave = { type: 'gave', peer: id };
    this.quota = quota;
  }

  /**
   * Returns a placeholder for a peer that is no longer a neighbor. Its link can't become part of
   * the tree.
   */
  static departed(id: string): Neighbor {
    const neighbor = new Neighbor(id);
    neighbor.eager = false;
    neighbor.prunedAt = Number.POSITIVE_INFINITY;
    return neighbor;
  }

  /** Counts a notice of `count` ids that is sent to the peer. */
  tell(count: number, now: number): void {
    this.countSent(now, count);
    this.account.announced += count;
  }

  /** Counts a push, or a notice of `count` ids, to the peer. */
  countSent(now: number, count = 1): void {
    if (this.unanswered === 0) this.unansweredSince = now;
    this.unanswered += count;
  }

  /** Takes back `count` messages or ids that were not sent after all. */
  uncountSent(count = 1): void {
    this.unanswered = Math.max(0, this.unanswered - count);
  }

  /** Called when the peer has shown that it has messages, or wants them. */
  answered(): void {
    this.unanswered = 0;
  }

  /**
   * Records that a message is owed to the peer, because there was no room for it. Beyond `most`,
   * the oldest is dropped.
   */
  owe(key: string, isAsked: boolean, most: number): void {
    this.owed ??= new Map();
    this.owed.set(key, isAsked || (this.owed.get(key) ?? false));
    dropOldest(this.owed, most);
  }
}

// Limits what one peer may ask for and announce. They also hold for a peer that leaves and comes
// back, since it could otherwise begin anew as often as it likes.

/** The limits of one peer, and how much of them it has used. */
export class Quota {
  /** Messages that were sent to the peer on demand, the oldest first: key → number of times. */
  #served: Map<string, number> | undefined;
  /** Time at which the second began for which notices, grafts and reports are counted. */
  #secondStart = Number.NEGATIVE_INFINITY;
  #notices = 0;
  #grafts = 0;
  #reported: Misbehavior[] = [];

  /**
   * Returns how many of `count` notices to accept, so that no more than `most` are accepted per
   * second.
   */
  takeNotices(count: number, most: number, now: number): number {
    this.#roll(now);
    const taken = Math.min(count, most - this.#notices);
    this.#notices += taken;
    return taken;
  }

  /**
   * Returns how many of `count` ids of a graft to serve, so that no more than `most` are served per
   * second.
   */
  takeGrafts(count: number, most: number, now: number): number {
    this.#roll(now);
    const taken = Math.min(count, most - this.#grafts);
    this.#grafts += taken;
    return taken;
  }

  /**
   * Returns true if a misbehavior should be reported because it is the first of its kind within one
   * second.
   */
  isNews(what: Misbehavior, now: number): boolean {
    this.#roll(now);
    if (this.#reported.includes(what)) return false;
    this.#reported.push(what);
    return true;
  }

  /**
   * Records that a message is sent to the peer on demand. Returns the number of times that this has
   * happened, including this time.
   */
  serve(key: string, most: number): number {
    this.#served ??= new Map();
    const times = (this.#served.get(key) ?? 0) + 1;
    this.#served.set(key, times);
    dropOldest(this.#served, most);
    return times;
  }

  #roll(now: number): void {
    if (now - this.#secondStart < SECOND) return;
    this.#secondStart = now;
    this.#notices = this.#grafts = 0;
    this.#reported = [];
  }
}

/** The limits of the peers that were neighbors last, so that they continue when they return. */
export class DepartedQuotas {
  readonly #quotas = new Map<string, Quota>();

  keep(peer: string, quota: Quota): void {
    this.#quotas.set(peer, quota);
    dropOldest(this.#quotas, DEPARTED);
  }

  /** Removes and returns the limits of a peer; undefined if it was not a neighbor recently. */
  take(peer: string): Quota | undefined {
    const quota = this.#quotas.get(peer);
    this.#quotas.delete(peer);
    return quota;
  }
}

const SECOND = 1_000;
/** Number of departed peers whose limits are kept. Each may have used up to 8,192 entries. */
const DEPARTED = 16;
