// What a Plumtree machine knows of one peer: whether the link is of the tree, what waits for it, and what it gave and took.

import type { Misbehaviour } from './host.ts';
import type { Notice } from './message.ts';

/** What passed over a link, in messages and ids since it came up: delivery accounting, for an overlay that weighs its neighbours. */
export interface NeighbourAccount {
  /** Messages that it brought first. */
  delivered: number;
  /** Messages that it brought when they were here already. */
  duplicates: number;
  /** Ids that it gave notice of. */
  noticed: number;
  /** Messages that were pushed to it. */
  pushed: number;
  /** Ids that it was given notice of. */
  announced: number;
  /** Ids that it asked for. */
  requested: number;
  /** Promises that it broke, and kept. */
  broken: number;
  kept: number;
}

export class Neighbour {
  readonly id: string;
  /** A link of the tree, as far as this end knows: messages are pushed. Else: notices. A new one is of the tree, until a duplicate comes. */
  eager = true;
  /** When this end pruned it; −Infinity: never. */
  prunedAt = Number.NEGATIVE_INFINITY;
  /** Duplicates since it last brought something new. */
  duplicatesInRow = 0;
  /** No room for messages until the host says `writable`. */
  blocked = false;
  /** No room for control messages either. */
  stuck = false;
  /** Notices that wait to be sent. */
  notices: Notice[] = [];
  /** Keys of messages there was no room for → whether it asked for them. The oldest first. */
  owed: Map<string, boolean> | undefined;
  /** Keys of messages that it was sent on demand → how often. The oldest first. */
  served: Map<string, number> | undefined;
  /** Promises broken since one was kept. */
  brokenInRow = 0;
  /** Messages that it was pushed or given notice of since it last gave a sign of having or wanting any, and when the first of these went. */
  unanswered = 0;
  unansweredSince = 0;
  /** When it was asked whether it listens; undefined: it isn't, or has answered. */
  triedAt: number | undefined;
  /** How often it answered that, and before when it isn't asked again. */
  trials = 0;
  untriedUntil = Number.NEGATIVE_INFINITY;
  readonly account: NeighbourAccount = { delivered: 0, duplicates: 0, noticed: 0, pushed: 0, announced: 0, requested: 0, broken: 0, kept: 0 };
  #interval: number;
  #notices = 0;
  #grafts = 0;
  #reported: Misbehaviour[] = [];

  constructor(id: string, now: number) {
    this.id = id;
    this.#interval = now;
  }

  /** One that is none any more: its link can't become one of the tree. */
  static departed(id: string): Neighbour {
    const neighbour = new Neighbour(id, 0);
    neighbour.eager = false;
    neighbour.prunedAt = Number.POSITIVE_INFINITY;
    return neighbour;
  }

  /** It is given notice of so many ids. */
  tell(count: number, now: number): void {
    this.take(now, count);
    this.account.announced += count;
  }

  /** It is pushed a message, or given notice of so many. */
  take(now: number, count = 1): void {
    if (this.unanswered === 0) this.unansweredSince = now;
    this.unanswered += count;
  }

  /** It gave a sign that it has messages, or wants them. */
  answered(): void {
    this.unanswered = 0;
  }

  /** How many of so many notices are taken: what is left of this second's `most`. */
  takeNotices(count: number, most: number, now: number): number {
    this.#roll(now);
    const taken = Math.min(count, most - this.#notices);
    this.#notices += taken;
    return taken;
  }

  /** How many ids of so many are served: what is left of this second's `most`. */
  takeGrafts(count: number, most: number, now: number): number {
    this.#roll(now);
    const taken = Math.min(count, most - this.#grafts);
    this.#grafts += taken;
    return taken;
  }

  /** Whether it is to be reported: once a second for each kind. */
  isNews(what: Misbehaviour, now: number): boolean {
    this.#roll(now);
    if (this.#reported.includes(what)) return false;
    this.#reported.push(what);
    return true;
  }

  /** @returns false: the oldest had to go. */
  owe(key: string, isAsked: boolean, most: number): boolean {
    this.owed ??= new Map();
    this.owed.set(key, isAsked || (this.owed.get(key) ?? false));
    return !dropOldest(this.owed, most);
  }

  /** How often it was sent that on demand, this time included. */
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
