// Limits what one peer may ask for and announce. They also hold for a peer that leaves and comes
// back, since it could otherwise begin anew as often as it likes.

import type { Misbehavior } from './interface.ts';

/** The limits of one peer, and how much of them it has used. */
export class Quota {
  /** Messages that were sent to the peer on demand, the oldest first: key → number of times. */
  #served: Map<string, number> | undefined;
  #interval = Number.NEGATIVE_INFINITY;
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
    if (now - this.#interval < SECOND) return;
    this.#interval = now;
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

/** Removes the oldest entry if there are more than `most`; returns true if it did. */
export function dropOldest(entries: Map<string, unknown>, most: number): boolean {
  if (entries.size <= most) return false;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    break;
  }
  return true;
}

const SECOND = 1_000;
/** Number of departed peers whose limits are kept. Each may have used up to 8,192 entries. */
const DEPARTED = 16;
