// Requests for links: the open ones, the nodes to ask next, and how often to ask.

import { dropOldest, RateLimit } from '@trunkline/peers/internal';
import type { Random } from '@trunkline/transport-core';
import type { Suggestions } from './message.ts';
import { jittered, type Views } from './views.ts';

/**
 * The purpose of a request:
 * - `join`, `fill`: the view has room
 * - `suggested`: the view has room, and a neighbor that evicted this node, or a peer that refused
 *   it, suggested the peer
 * - `introduced`: the walk of a newcomer ended here
 * - `merge`: asks a node outside both views
 * - `replace`: asks a node outside both views, to replace a useless neighbor
 */
type Purpose = 'join' | 'fill' | 'suggested' | 'introduced' | 'merge' | 'replace';

/** Returns true if this node chose the peer by itself. */
export function isOwnChoice(purpose: Purpose): boolean {
  return purpose !== 'suggested' && purpose !== 'introduced';
}

/** Returns true if the peer is asked because the view has room. */
export function isFilling(purpose: Purpose): boolean {
  return purpose !== 'introduced' && purpose !== 'merge';
}

/**
 * Returns true if the new link may evict a neighbor in case the view has become full in the
 * meantime.
 */
export function mayEvict(purpose: Purpose): boolean {
  return purpose === 'merge' || purpose === 'replace' || purpose === 'introduced';
}

interface Request {
  readonly id: number;
  readonly purpose: Purpose;
  /** The deadline of the request. After it, a late answer counts until the request is forgotten. */
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
    this.#next = Math.floor(random() * 0x4000_0000);
  }

  /** Number of requests that are not overdue. */
  get waiting(): number {
    let count = 0;
    for (const { isLate } of this.values()) if (!isLate) count++;
    return count;
  }

  /** Number of requests that are not overdue and were sent because the view has room. */
  get filling(): number {
    let count = 0;
    for (const { isLate, purpose } of this.values()) if (!isLate && isFilling(purpose)) count++;
    return count;
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
   * Marks overdue requests as late, and forgets those that were late for too long. Returns the
   * peers whose requests are forgotten; `changed` is true if a place became free.
   */
  expire(now: number): { readonly changed: boolean; readonly silent: string[] } {
    let changed = false;
    const silent: string[] = [];
    for (const [peer, request] of this) {
      if (request.until > now) continue;
      if (request.isLate) {
        this.delete(peer);
        silent.push(peer);
      } else {
        changed = request.isLate = true;
        request.until = now + LATE;
      }
    }
    return { changed, silent };
  }

  /** Time at which `expire` has something to do. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { until } of this.values()) if (until < due) due = until;
    return due;
  }
}

/**
 * Milliseconds for which a late answer still counts: the transport's dial ends within 3 s and its
 * handshake within 5 s.
 */
const LATE = 8_000;
/**
 * Maximum number of requests remembered, including late ones. Beyond it the oldest is forgotten,
 * and its answer is refused.
 */
const MOST = 256;

// Asks nodes for links while the view is short: it has too few links to trusted peers. It owns the
// phase of this node's membership, and decides which node to ask next, for which purpose and with
// which priority.

export class LinkRequester {
  readonly requests: Requests;
  readonly search: Search;
  readonly #views: Views;
  /**
   * Limits how often this node does favors for nodes that ask: introduces newcomers, or gives up
   * links for them. The second limit is for contacts; strangers can't use it up.
   */
  readonly #favors: RateLimit;
  readonly #favorsForContacts: RateLimit;
  /**
   * A newcomer becomes a member when a peer accepts it, not when it accepts a peer. After leaving,
   * it joins again as a newcomer.
   */
  #phase: 'newcomer' | 'member' | 'leaving' = 'newcomer';
  /** Time until which a newcomer waits for requests from the nodes that it was introduced to. */
  #waitsUntil = Number.NEGATIVE_INFINITY;
  #isHungry = false;

  constructor(views: Views) {
    const { config, random } = views;
    this.#views = views;
    this.requests = new Requests(config.neighborTimeout, random);
    this.search = new Search(config.passive + config.contacts, config.shuffleInterval, random);
    this.#favors = new RateLimit(2 * config.active, config.favorInterval);
    this.#favorsForContacts = new RateLimit(2 * config.active, config.favorInterval);
  }

  /** Returns true if a favor may be done for that peer now, and counts it against the limit. */
  takeFavor(peer: string, now: number): boolean {
    return (
      this.#favors.tryTake(now) ||
      (this.#views.contacts.has(peer) && this.#favorsForContacts.tryTake(now))
    );
  }

  /** Returns true if many nodes have asked for favors recently. */
  isFlooded(now: number): boolean {
    return this.#favors.isScarce(now);
  }

  get isLeaving(): boolean {
    return this.#phase === 'leaving';
  }

  /**
   * True if this node has too few links to trusted peers and nobody is left to ask, so that more
   * contacts would help.
   */
  get isHungry(): boolean {
    return this.#isHungry && this.isShort;
  }

  /** True if this node wants more links than it has to trusted peers. */
  get isShort(): boolean {
    const { active, config } = this.#views;
    return !this.isLeaving && active.size - active.distrusted < config.active;
  }

  join(): void {
    this.#phase = this.#views.active.size > 0 ? 'member' : 'newcomer';
  }

  leave(): void {
    this.#phase = 'leaving';
  }

  /** A peer has accepted this node's request, which was sent for `purpose`. */
  accepted(purpose: Purpose, now: number): void {
    this.#phase = 'member';
    if (purpose === 'join') this.#waitsUntil = now + this.#views.config.neighborTimeout;
  }

  /**
   * Asks a node for each place that is free or taken by a distrusted peer, which only a trusted one
   * replaces: passive peers first, then contacts. A node without links asks two nodes with high
   * priority. A newcomer asks one node, preferably a contact, to introduce it.
   */
  fill(now: number): void {
    const { search } = this;
    const views = this.#views;
    const { config, active } = views;
    if (this.isLeaving || now < this.#waitsUntil) return;
    const isMember = this.#phase === 'member';
    const spare = config.active - active.size;
    const wanted = spare + active.distrusted;
    for (let asked = this.requests.filling; asked < wanted; asked++) {
      const isAlone = active.size === 0;
      if (isAlone && asked >= (isMember ? 2 : 1)) return;
      const isFew = 2 * active.size <= config.active;
      if (!isFew && search.refusals >= LEISURELY) return;
      // Contacts are preferred for the first links of this node's own choice, and for all links
      // while many nodes request links, because the passive view holds only nodes that others
      // named.
      const isOwn = isMember && (active.chosen < config.own || this.isFlooded(now));
      const { peer, isPassive } = views.candidate(
        !isMember || (isOwn && views.drawsContact()),
        (other) => this.#mayAsk(other, now) && (asked < spare || !views.isDistrusted(other)),
      );
      this.#isHungry = peer === undefined;
      if (peer === undefined) return;
      search.asked(peer);
      // The view is small and nobody has room for this node: it may be part of an island.
      const isStuck = isFew && search.failures > 0 && asked === 0;
      // A member that has lost all links joins again if only contacts are left.
      const purpose = isAlone && (!isPassive || !isMember) ? 'join' : 'fill';
      this.ask(peer, purpose, isAlone || isStuck, now);
    }
    this.#isHungry = false;
  }

  /**
   * Follows the suggestions of a node that refused or ended a link. The peer that has room is asked
   * first. A node that evicts a neighbor knows such a peer, so views stay full without searches
   * through the overlay.
   */
  follow({ free, peers }: Suggestions, now: number): void {
    const { config, active } = this.#views;
    this.#views.note(peers, now);
    const hasRoom = active.size + this.requests.filling < config.active;
    if (free !== undefined && this.#phase === 'member' && hasRoom && this.#mayAsk(free, now)) {
      this.search.asked(free);
      this.ask(free, 'suggested', active.size === 0, now);
    }
    this.fill(now);
  }

  /**
   * Asks a node outside both views for a link, or a passive peer if few contacts are known (see
   * `Views.outsider`). After a network has split, both parts may have full views. Only a link to a
   * node outside the views can join the parts again.
   */
  seek(purpose: 'merge' | 'replace', now: number): void {
    const views = this.#views;
    const peer = views.outsider(
      (other) =>
        !views.active.has(other) &&
        !this.requests.isWaiting(other) &&
        !views.losses.has(other, now),
    );
    if (peer !== undefined) this.ask(peer, purpose, true, now);
  }

  ask(peer: string, purpose: Purpose, high: boolean, now: number): void {
    const { config, active } = this.#views;
    const request = this.requests.open(peer, purpose, now);
    const full = active.size >= config.active;
    this.#views.send(
      peer,
      purpose === 'join' ? { type: 'join', request } : { type: 'neighbor', request, high, full },
    );
  }

  #mayAsk(peer: string, now: number): boolean {
    return (
      this.search.mayAsk(peer) &&
      !this.#views.active.has(peer) &&
      !this.requests.has(peer) &&
      !this.#views.losses.has(peer, now)
    );
  }
}

/**
 * Number of refusals after which a view that is more than half full asks nobody until the next
 * round, because it does not urgently need links.
 */
const LEISURELY = 8;

// Decides which peers may be asked while a view is short, and when those asked before may be asked
// again. A view is short if it has too few links to trusted peers.

/**
 * A round asks each peer at most once. It ends when the view is no longer short; until then, the
 * intervals between rounds grow.
 */
export class Search {
  /** Number of consecutive rounds that left the view short. */
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
   * Asks at most `most` peers in a round, and begins a round at least every `slowest` milliseconds.
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

  asked(peer: string): void {
    if (this.#asked.size < this.#most) this.#asked.add(peer);
  }

  refused(): void {
    this.refusals++;
  }

  /**
   * Updates the search. If the view is short, a round follows; otherwise the search starts over.
   * Call it after every change.
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

  /** Starts over with the first round. */
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

// Decides when to ask a node outside both views for a link in case the network has split. If the
// views of both ends are full, such a link evicts two others.

/**
 * Merges happen every `interval` while there is a reason: a link was lost, a node was `found` for
 * the first time, or the last merge asked no node or got no link. Without a reason, each wait is
 * twice as long as the previous one, up to 16 intervals. Merges never stop, because the network may
 * have split into parts that do not know of each other.
 */
export class Merges {
  /** Time at which the next merge is due. */
  due: number;
  readonly #interval: number;
  readonly #random: Random;
  #delay: number;
  #wasTaken = true;

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
    if (!this.#wasTaken) this.#delay = this.#interval;
    this.#wasTaken = false;
    this.due = now + jittered(this.#interval, this.#random);
  }

  /** A node outside the views has accepted this node, after a merge or the input `seek`. */
  succeeded(now: number): void {
    if (!this.isOn) return;
    this.#wasTaken = true;
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
