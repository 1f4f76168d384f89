// Requests for links: the open ones (`Requests`), who was asked already and when to ask again
// (`Search`), and when to ask against a split of the network (`Merges`). Each is owned by one
// PartialView, which alone changes it. Tested in recovery.test.ts, merges.test.ts and
// partial-view.test.ts.

import { dropOldest } from '@trunkline/peers/internal';
import type { Random } from '@trunkline/transport-core';
import { jittered } from './views.ts';

/**
 * The purpose of a request:
 * - `join`, `fill`: a place is free, or (`fill` only) taken by a distrusted neighbor
 * - `suggested`: a place is free, and a neighbor that evicted this node, or a peer that refused it,
 *   suggested the peer
 * - `introduced`: the walk of a newcomer ended here
 * - `merge`: asks `Views.outsider`, even if the view is full
 * - `replace`: asks `Views.outsider` for the place of a useless neighbor that was just dropped
 */
export type Purpose = 'join' | 'fill' | 'suggested' | 'introduced' | 'merge' | 'replace';

/** Returns true if this node chose the peer by itself. */
export function isOwnChoice(purpose: Purpose): boolean {
  return purpose !== 'suggested' && purpose !== 'introduced';
}

/** Returns true if the request stands for one of the places that `#fill` wants to fill. */
export function isFilling(purpose: Purpose): boolean {
  return purpose !== 'introduced' && purpose !== 'merge';
}

interface Request {
  readonly id: number;
  readonly purpose: Purpose;
  /** The deadline of the request; once it is late, the time at which it is forgotten. */
  until: number;
  isLate: boolean;
}

/**
 * The open requests by peer, the oldest first. Each has a number that its answer repeats, so
 * answers to earlier requests are ignored. A peer has an entry as long as its answer would count.
 */
export class Requests extends Map<string, Request> {
  readonly #timeout: number;
  #next: number;

  constructor(timeout: number, random: Random) {
    super();
    this.#timeout = timeout;
    // A random start, so that an answer to a request from before a restart hardly ever fits.
    this.#next = Math.floor(random() * 0x4000_0000);
  }

  /** The purposes of the requests that are not overdue. */
  get waiting(): Purpose[] {
    return [...this.values()].flatMap(({ isLate, purpose }) => (isLate ? [] : purpose));
  }

  /** Number of requests that are not overdue and for which `isFilling` is true. */
  get filling(): number {
    return this.waiting.filter(isFilling).length;
  }

  isWaiting(peer: string): boolean {
    return this.get(peer)?.isLate === false;
  }

  /** Opens a request, which replaces an earlier one to that peer. Returns its number. */
  open(peer: string, purpose: Purpose, now: number): number {
    const id = this.#next++;
    this.delete(peer);
    this.set(peer, { id, purpose, until: now + this.#timeout, isLate: false });
    dropOldest(this, MOST);
    return id;
  }

  /**
   * Ends the request to that peer if `id` is its number. Returns its purpose, or undefined if there
   * is no such request.
   */
  answered(peer: string, id: number): Purpose | undefined {
    const request = this.get(peer);
    if (request?.id !== id) return undefined;
    this.delete(peer);
    return request.purpose;
  }

  /**
   * Marks overdue requests as late, and forgets those that were late for too long. Returns true if
   * at least one became late, so that another peer may be asked in its place.
   * @param silent called with each peer whose request is forgotten, since it has not answered
   */
  expire(now: number, silent: (peer: string) => void): boolean {
    let changed = false;
    for (const [peer, request] of this) {
      if (request.until > now) continue;
      if (request.isLate) {
        this.delete(peer);
        silent(peer);
      } else {
        changed = request.isLate = true;
        request.until = now + LATE;
      }
    }
    return changed;
  }

  /** Time at which `expire` has something to do. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { until } of this.values()) if (until < due) due = until;
    return due;
  }
}

/**
 * Milliseconds for which a late answer still counts: by default, the transport's dial ends within
 * 3 s and its handshake within 5 s.
 */
const LATE = 8_000;
/**
 * Maximum number of requests remembered, including late ones. Beyond it the oldest is forgotten,
 * and its answer is refused.
 */
const MOST = 256;

// Decides which peers may be asked while a view is short, and when those asked before may be asked
// again. A view is short if it has too few links to trusted peers.

/**
 * A search consists of rounds, each of which asks a peer at most once. It ends when the view is no
 * longer short; until then, the intervals between rounds grow.
 */
export class Search {
  /** Number of rounds of this search that have ended with the view still short. */
  failures = 0;
  /** Number of refusals in this round. */
  refusals = 0;
  /** Time at which the next round begins. */
  due = Number.POSITIVE_INFINITY;
  readonly #random: Random;
  readonly #slowest: number;
  readonly #most: number;
  readonly #asked = new Set<string>();
  #delay = RETRY;

  /**
   * Asks at most `most` peers in a round. The intervals between rounds grow from `RETRY` to
   * `slowest` milliseconds, ± 10 %.
   */
  constructor(most: number, slowest: number, random: Random) {
    this.#most = most;
    this.#slowest = slowest;
    this.#random = random;
  }

  /** Returns true if the peer may be asked in this round. */
  mayAsk(peer: string): boolean {
    return this.#asked.size < this.#most && !this.#asked.has(peer);
  }

  /** Excludes a peer from this round: it was asked, or has just ended its link. */
  exclude(peer: string): void {
    if (this.#asked.size < this.#most) this.#asked.add(peer);
  }

  /**
   * Updates the search. If the view is short, a round follows; otherwise the search starts over.
   * PartialView calls it after every input that may change the view.
   */
  update(isShort: boolean, now: number): void {
    if (!isShort) this.restart();
    else if (this.due === Number.POSITIVE_INFINITY)
      this.due = now + jittered(this.#delay, this.#random);
  }

  /** Begins a round if one is due. Returns true if one was due. */
  begin(now: number): boolean {
    if (now < this.due) return false;
    this.#asked.clear();
    this.refusals = 0;
    this.failures++;
    this.#delay = Math.min(this.#delay * 2, this.#slowest);
    this.due = now + jittered(this.#delay, this.#random);
    return true;
  }

  /** Starts over with the first round, which needs no `begin`. */
  restart(): void {
    this.#asked.clear();
    this.refusals = 0;
    this.#delay = Math.min(RETRY, this.#slowest);
    this.due = Number.POSITIVE_INFINITY;
    this.failures = 0;
  }
}

/** Milliseconds until the second round. */
const RETRY = 1_000;

// Decides when to ask a node outside both views for a link in case the network has split;
// `Views.outsider` chooses it. If the views of both ends are full, such a link evicts two others.

/**
 * Merges happen every `interval` while there is a reason: a link was lost, a node was `found` for
 * the first time, or the last merge asked no node or got no link. Without a reason, each wait is
 * twice as long as the previous one, up to 16 intervals; all waits ± 10 %. Merges never stop,
 * because the network may have split into parts that do not know of each other.
 */
export class Merges {
  /** Time at which the next merge is due. */
  due: number;
  readonly #interval: number;
  readonly #random: Random;
  #delay: number;
  /** True if the last merge got a link, or none has begun yet. */
  #gotLink = true;

  /** An `interval` of Infinity means never. */
  constructor(interval: number, random: Random, now: number) {
    this.#interval = this.#delay = interval;
    this.#random = random;
    this.due = this.isOn ? now + random() * interval : Number.POSITIVE_INFINITY;
  }

  get isOn(): boolean {
    return this.#interval !== Number.POSITIVE_INFINITY;
  }

  /** Begins a merge. Unless it succeeds, another follows after an interval. */
  begin(now: number): void {
    if (!this.#gotLink) this.#delay = this.#interval;
    this.#gotLink = false;
    this.due = now + jittered(this.#interval, this.#random);
  }

  /** Called when a node has accepted a request for `merge`, after a merge or the input `seek`. */
  succeeded(now: number): void {
    if (!this.isOn) return;
    this.#gotLink = true;
    this.#delay = Math.min(2 * this.#delay, SLOWEST * this.#interval);
    this.due = now + jittered(this.#delay, this.#random);
  }

  /** Notes that there is a reason to merge. */
  noteReason(now: number): void {
    if (this.#delay === this.#interval) return;
    this.#delay = this.#interval;
    this.due = Math.min(this.due, now + jittered(this.#interval, this.#random));
  }
}

/** The longest wait between two merges if nothing happens, in intervals. */
const SLOWEST = 16;
