// The links that this node has asked for and not yet got.

import type { Random } from '@trunkline/transport-core';

/**
 * `join`, `fill`, `suggested`: the view has room, and an evicting neighbour named whom to turn to; `introduced`: a newcomer's walk ended
 * here; `merge`: somebody outside both views; `replace`: the same, in place of a neighbour that was of no use.
 */
export type Purpose = 'join' | 'fill' | 'suggested' | 'introduced' | 'merge' | 'replace';

/** Did this node choose the peer by itself? */
export function isOwnChoice(purpose: Purpose): boolean {
  return purpose === 'join' || purpose === 'fill' || purpose === 'merge' || purpose === 'replace';
}

/** Is it asked because the view has room? */
export function isFilling(purpose: Purpose): boolean {
  return purpose === 'join' || purpose === 'fill' || purpose === 'suggested' || purpose === 'replace';
}

/** Does somebody else go for it, where the view is full by now? */
export function mayEvict(purpose: Purpose): boolean {
  return purpose === 'merge' || purpose === 'replace' || purpose === 'introduced';
}

interface Request {
  readonly id: number;
  readonly purpose: Purpose;
  /** Waited for until then; after that its answer counts until it is forgotten. */
  until: number;
  isLate: boolean;
}

/** One to a peer, known by a number that its answer repeats: an answer to an earlier request is nobody's. */
export class Requests {
  readonly #timeout: number;
  readonly #requests = new Map<string, Request>();
  #next: number;

  constructor(timeout: number, random: Random) {
    this.#timeout = timeout;
    this.#next = Math.floor(random() * 0x4000_0000);
  }

  /** Requests that are waited for. */
  get waiting(): number {
    let count = 0;
    for (const { isLate } of this.#requests.values()) if (!isLate) count++;
    return count;
  }

  /** Those that are waited for because the view has room. */
  get filling(): number {
    let count = 0;
    for (const { isLate, purpose } of this.#requests.values()) if (!isLate && isFilling(purpose)) count++;
    return count;
  }

  isWaiting(peer: string): boolean {
    return this.#requests.get(peer)?.isLate === false;
  }

  /** May an answer of that peer still count? */
  has(peer: string): boolean {
    return this.#requests.has(peer);
  }

  purposeOf(peer: string): Purpose | undefined {
    return this.#requests.get(peer)?.purpose;
  }

  /** The number of a new request, which replaces an earlier one to that peer. */
  add(peer: string, purpose: Purpose, now: number): number {
    const id = this.#next++;
    this.#requests.delete(peer);
    this.#requests.set(peer, { id, purpose, until: now + this.#timeout, isLate: false });
    if (this.#requests.size > MOST) this.#requests.delete(this.#requests.keys().next().value!);
    return id;
  }

  /** Why it was asked, where `id` answers the request to that peer. The request is over. */
  answered(peer: string, id: number): Purpose | undefined {
    const request = this.#requests.get(peer);
    if (request?.id !== id) return undefined;
    this.#requests.delete(peer);
    return request.purpose;
  }

  /** Gives true where there was one. */
  delete(peer: string): boolean {
    return this.#requests.delete(peer);
  }

  clear(): void {
    this.#requests.clear();
  }

  /** No longer waits for what is overdue. Gives the peers that never answered and are now forgotten; `changed` where a place came free. */
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

  /** When `expire` has something to do. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { until } of this.#requests.values()) if (until < due) due = until;
    return due;
  }
}

/** Milliseconds for which an overdue answer still counts: a dial of the transport ends in 3 s, its handshake in 5 s. */
const LATE = 8_000;
/** Requests remembered, overdue ones included; the oldest is forgotten, and its answer refused. */
const MOST = 256;
