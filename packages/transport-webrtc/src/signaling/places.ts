// The places that sessions or relayed streams occupy at a hub: bounded in all, for the node that
// opens them, for the node that accepts them, and for each pair of nodes. When a bound that nodes
// share is reached, a place that does nothing, or the oldest of the source or node that holds most,
// gives way.

import { TransportError } from '@trunkline/transport-core';

/** The share of a node's places that one other node may take: an eighth, but at least two. */
const SHARE = 1 / 8;
const LEAST_SHARE = 2;

/** An owner of places: a registration of a node, compared by identity. */
export interface PlaceOwner {
  readonly nodeId: string;
  /** The address from which the node has registered, as the limits per source define it. */
  readonly source: string;
}

/** The bounds of one kind of places. */
export interface PlaceLimits {
  /** The name of the kind, for errors: 'sessions'. */
  readonly noun: string;
  /** Maximum number of places. */
  readonly most: number;
  /** Maximum number of places of a node in each direction. */
  readonly perNode: number;
  /** Milliseconds without `Place.move` after which a place gives way to anybody's. */
  readonly idle: number;
  /** Milliseconds after which the oldest place of a source gives way to one with fewer places. */
  readonly old: number;
}

/** One place. */
export interface Place {
  /** Says that something has happened, so that the place is not idle. */
  move(): void;
  /** Says that the place is never idle from now on. */
  settle(): void;
  /** Frees the place. Idempotent. */
  free(): void;
}

interface Holder extends Place {
  readonly caller: PlaceOwner;
  readonly since: number;
  moved: number;
  end(error: TransportError): void;
}

/** The places of one kind. */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #now: () => number;
  /** All places, and those of each node that accepted them; the oldest first. */
  readonly #all = new Set<Holder>();
  readonly #accepted = new Map<PlaceOwner, Set<Holder>>();
  readonly #opened = new Map<PlaceOwner, Map<PlaceOwner, number>>();

  constructor(limits: PlaceLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** The number of places that are taken. */
  get size(): number {
    return this.#all.size;
  }

  /**
   * Takes a place; call `free` when it is no longer used. Throws `resource_exhausted` above a
   * limit.
   *
   * @param end receives the error with which the place is taken away for another node's.
   */
  take(caller: PlaceOwner, callee: PlaceOwner, end: (error: TransportError) => void): Place {
    const { noun, most, perNode } = this.#limits;
    const opened = this.#opened.get(caller) ?? new Map<PlaceOwner, number>();
    const toCallee = opened.get(callee) ?? 0;
    const total = [...opened.values()].reduce((sum, count) => sum + count, 0);
    if (total >= perNode) throw full(`node '${caller.nodeId}' has opened ${total} ${noun}`);
    const share = Math.max(LEAST_SHARE, Math.floor(perNode * SHARE));
    if (toCallee >= share)
      throw full(`node '${caller.nodeId}' has opened ${toCallee} ${noun} to '${callee.nodeId}'`);
    const accepted = this.#accepted.get(callee) ?? new Set<Holder>();
    if (accepted.size >= perNode && !this.#giveWay(accepted, caller))
      throw full(`node '${callee.nodeId}' has accepted ${perNode} ${noun}`);
    if (this.#all.size >= most && !this.#giveWay(this.#all, caller))
      throw full(`the hub has ${most} ${noun}`);
    const now = this.#now();
    const holder: Holder = {
      caller,
      since: now,
      moved: now,
      end,
      move: () => {
        holder.moved = Math.max(holder.moved, this.#now());
      },
      settle: () => {
        holder.moved = Number.POSITIVE_INFINITY;
      },
      free: () => {
        if (!this.#all.delete(holder)) return;
        accepted.delete(holder);
        if (accepted.size === 0) this.#accepted.delete(callee);
        countDown(opened, callee);
        if (opened.size === 0) this.#opened.delete(caller);
      },
    };
    this.#all.add(holder);
    this.#accepted.set(callee, accepted.add(holder));
    this.#opened.set(caller, opened.set(callee, (opened.get(callee) ?? 0) + 1));
    return holder;
  }

  /** Frees one of the places for a node, if one has to give way to it. */
  #giveWay(places: Set<Holder>, { source, nodeId }: PlaceOwner): boolean {
    const now = this.#now();
    const own = [...places].filter(({ caller }) => caller.source === source);
    const victim =
      [...places].find(({ moved }) => moved + this.#limits.idle <= now) ??
      this.#oldestOfMost([...places], ({ caller }) => caller.source, source, now) ??
      this.#oldestOfMost(own, ({ caller }) => caller.nodeId, nodeId, now);
    victim?.free();
    victim?.end(full(`the ${this.#limits.noun} are all taken, and this one gives way`));
    return victim !== undefined;
  }

  /**
   * Returns the oldest place of the name that has most of them, if `own` has fewer even with one
   * more, or, if that place is old, as many.
   */
  #oldestOfMost(
    places: readonly Holder[],
    nameOf: (place: Holder) => string,
    own: string,
    now: number,
  ): Holder | undefined {
    const counts = new Map<string, number>([[own, 0]]);
    for (const place of places) counts.set(nameOf(place), (counts.get(nameOf(place)) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const oldest = places.find((place) => counts.get(nameOf(place)) === most);
    if (oldest === undefined) return undefined;
    const margin = oldest.since + this.#limits.old <= now ? 0 : 1;
    return counts.get(own)! + margin < most ? oldest : undefined;
  }
}

function full(text: string): TransportError {
  return new TransportError('resource_exhausted', `${text}, the most: try again later`);
}

function countDown(counts: Map<PlaceOwner, number>, owner: PlaceOwner): void {
  const left = counts.get(owner)! - 1;
  if (left === 0) counts.delete(owner);
  else counts.set(owner, left);
}
