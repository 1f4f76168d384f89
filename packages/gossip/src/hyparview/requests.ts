// The open requests for links that this node has sent.

import type { Random } from '@trunkline/transport-core';

/**
 * The purpose of a request:
 * - `join`, `fill`: the view has room
 * - `suggested`: the view has room, and a neighbor that evicted this node, or a peer that refused
 *   it, suggested the peer
 * - `introduced`: the walk of a newcomer ended here
 * - `merge`: asks a node outside both views
 * - `replace`: asks a node outside both views, to replace a useless neighbor
 */
export type Purpose = 'join' | 'fill' | 'suggested' | 'introduced' | 'merge' | 'replace';

/** Returns true if this node chose the peer by itself. */
export function isOwnChoice(purpose: Purpose): boolean {
  return purpose === 'join' || purpose === 'fill' || purpose === 'merge' || purpose === 'replace';
}

/** Returns true if the peer is asked because the view has room. */
export function isFilling(purpose: Purpose): boolean {
  return (
    purpose === 'join' || purpose === 'fill' || purpose === 'suggested' || purpose === 'replace'
  );
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
 * The open requests, one per peer. Each has a number that its answer repeats, so answers to earlier
 * requests are ignored.
 */
export class Requests {
  readonly #timeout: number;
  readonly #requests = new Map<string, Request>();
  #next: number;

  constructor(timeout: number, random: Random) {
    this.#timeout = timeout;
    this.#next = Math.floor(random() * 0x4000_0000);
  }

  /** Number of requests that are not overdue. */
  get waiting(): number {
    let count = 0;
    for (const { isLate } of this.#requests.values()) if (!isLate) count++;
    return count;
  }

  /** Number of requests that are not overdue and were sent because the view has room. */
  get filling(): number {
    let count = 0;
    for (const { isLate, purpose } of this.#requests.values())
      if (!isLate && isFilling(purpose)) count++;
    return count;
  }

  isWaiting(peer: string): boolean {
    return this.#requests.get(peer)?.isLate === false;
  }

  /** Returns true if an answer of that peer would still count. */
  has(peer: string): boolean {
    return this.#requests.has(peer);
  }

  purposeOf(peer: string): Purpose | undefined {
    return this.#requests.get(peer)?.purpose;
  }

  /** Adds a request, which replaces an earlier one to that peer. Returns its number. */
  add(peer: string, purpose: Purpose, now: number): number {
    const id = this.#next++;
    this.#requests.delete(peer);
    this.#requests.set(peer, { id, purpose, until: now + this.#timeout, isLate: false });
    if (this.#requests.size > MOST) this.#requests.delete(this.#requests.keys().next().value!);
    return id;
  }

  /**
   * Ends the request to that peer if `id` is its number. Returns its purpose, or undefined if there
   * is no such request.
   */
  answered(peer: string, id: number): Purpose | undefined {
    const request = this.#requests.get(peer);
    if (request?.id !== id) return undefined;
    this.#requests.delete(peer);
    return request.purpose;
  }

  /** Deletes the request to a peer. Returns true if there was one. */
  delete(peer: string): boolean {
    return this.#requests.delete(peer);
  }

  clear(): void {
    this.#requests.clear();
  }

  /**
   * Marks overdue requests as late, and forgets those that were late for too long. Returns the
   * peers whose requests are forgotten; `changed` is true if a place became free.
   */
  expire(now: number): { readonly changed: boolean; readonly silent: string[] } {
    let changed = false;
    const silent: string[] = [];
    for (const [peer, request] of this.#requests) {
      if (request.until > now) continue;
      if (request.isLate) {
        this.#requests.delete(peer);
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
    for (const { until } of this.#requests.values()) if (until < due) due = until;
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
