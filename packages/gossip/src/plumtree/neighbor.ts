// The state that a Plumtree machine keeps for one peer: whether the link belongs to the tree, what
// waits for the peer, and what it sent and received.

import type { GaveOutput, Misbehavior, NeighborAccount } from './interface.ts';
import type { Notice } from './message.ts';

/** One peer of a Plumtree machine. */
export class Neighbor {
  readonly id: string;
  /** The output that says that the peer passes messages on: the same for each message. */
  readonly gave: GaveOutput;
  /**
   * True if the link belongs to the tree, as far as this end knows: messages are pushed over it.
   * Otherwise the peer gets notices. A new link belongs to the tree until a duplicate comes over
   * it.
   */
  eager = true;
  /** When this end pruned the link; −Infinity: never. */
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
   * Keys of messages that there was no room for → whether the peer had asked for them. The oldest
   * first.
   */
  owed: Map<string, boolean> | undefined;
  /** Keys of messages that the peer was sent on demand → how often. The oldest first. */
  served: Map<string, number> | undefined;
  /** Promises broken in a row since the last one that was kept. */
  brokenInRow = 0;
  /**
   * Messages that were pushed or announced to the peer since it last gave a sign of having or
   * wanting any, and when the first of these went out.
   */
  unanswered = 0;
  unansweredSince = 0;
  /** When the peer was asked whether it listens; undefined if it was not asked, or has answered. */
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
   * The peer whose place this one took in the tree, by the last optimization; undefined if it took
   * none.
   */
  replaces: string | undefined;
  #interval: number;
  #notices = 0;
  #grafts = 0;
  #reported: Misbehavior[] = [];

  constructor(id: string, now: number) {
    this.id = id;
    this.gave = { type: 'gave', peer: id };
    this.#interval = now;
  }

  /**
   * Returns a placeholder for a peer that is no longer a neighbor. Its link can't become part of
   * the tree.
   */
  static departed(id: string): Neighbor {
    const neighbor = new Neighbor(id, 0);
    neighbor.eager = false;
    neighbor.prunedAt = Number.POSITIVE_INFINITY;
    return neighbor;
  }

  /** The peer was given notice of `count` ids. */
  tell(count: number, now: number): void {
    this.take(now, count);
    this.account.announced += count;
  }

  /** The peer was pushed a message, or given notice of `count` ids. */
  take(now: number, count = 1): void {
    if (this.unanswered === 0) this.unansweredSince = now;
    this.unanswered += count;
  }

  /** `count` messages or ids did not go out after all. */
  untake(count = 1): void {
    this.unanswered = Math.max(0, this.unanswered - count);
  }

  /** The peer gave a sign that it has messages, or wants them. */
  answered(): void {
    this.unanswered = 0;
  }

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

  /** Returns true if a misbehavior is to be reported: the first of its kind within a second. */
  isNews(what: Misbehavior, now: number): boolean {
    this.#roll(now);
    if (this.#reported.includes(what)) return false;
    this.#reported.push(what);
    return true;
  }

  /**
   * Notes that the peer is owed a message that there was no room for. Returns false if the oldest
   * one had to be dropped.
   */
  owe(key: string, isAsked: boolean, most: number): boolean {
    this.owed ??= new Map();
    this.owed.set(key, isAsked || (this.owed.get(key) ?? false));
    return !dropOldest(this.owed, most);
  }

  /**
   * Notes that the peer is sent a message on demand, and returns how often that happened, this time
   * included.
   */
  serve(key: string, most: number): number {
    this.served ??= new Map();
    const times = (this.served.get(key) ?? 0) + 1;
    this.served.set(key, times);
    dropOldest(this.served, most);
    return times;
  }

  #roll(now: number): void {
    if (now - this.#interval < SECOND) return;
    this.#interval = now;
    this.#notices = this.#grafts = 0;
    this.#reported = [];
  }
}

const SECOND = 1_000;

function dropOldest(entries: Map<string, unknown>, most: number): boolean {
  if (entries.size <= most) return false;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    break;
  }
  return true;
}
