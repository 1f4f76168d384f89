// The list of banned ids, together with the addresses that return to the book when their bans end.

import type { Place } from '../address/place.ts';
import { LONGEST_BAN, MOST_BANS } from './entries.ts';

/** A banned id. */
export interface Ban {
  readonly nodeId: string;
  /** Time at which the ban ends, by the caller's clock. */
  readonly until: number;
  /** The address that the book had for the id, and the group of the node that reported it. */
  readonly place: Place | undefined;
  readonly source: string;
}

/** The banned ids, at most `MOST_BANS`. */
export class BanList {
  readonly #bans = new Map<string, Ban>();
  #soonest = Infinity;

  get(nodeId: string): Ban | undefined {
    return this.#bans.get(nodeId);
  }

  all(): Iterable<Ban> {
    return this.#bans.values();
  }

  /**
   * Bans an id; an existing ban is never shortened. If the list was full, returns the ban that had
   * to end.
   */
  add(ban: Ban, now: number): Ban | undefined {
    const had = this.#bans.get(ban.nodeId);
    const out = had === undefined && this.#bans.size >= MOST_BANS ? this.#endSoonest() : undefined;
    const until = Math.min(Math.max(ban.until, had?.until ?? ban.until), now + LONGEST_BAN);
    const { place, source } = ban.place === undefined && had !== undefined ? had : ban;
    this.#bans.set(ban.nodeId, { nodeId: ban.nodeId, until, place, source });
    this.#soonest = Math.min(this.#soonest, until);
    return out;
  }

  remove(nodeId: string): Ban | undefined {
    const ban = this.#bans.get(nodeId);
    this.#bans.delete(nodeId);
    return ban;
  }

  /** Removes and returns the bans that are over. */
  ended(now: number): Ban[] {
    if (now < this.#soonest) return [];
    const over = [...this.#bans.values()].filter((ban) => ban.until <= now);
    for (const ban of over) this.#bans.delete(ban.nodeId);
    this.#soonest = Infinity;
    for (const ban of this.#bans.values()) this.#soonest = Math.min(this.#soonest, ban.until);
    return over;
  }

  #endSoonest(): Ban {
    let [first] = this.#bans.values();
    for (const ban of this.#bans.values()) if (ban.until < first!.until) first = ban;
    this.#bans.delete(first!.nodeId);
    return first!;
  }
}
