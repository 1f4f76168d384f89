// The places that sessions or relayed streams occupy at a hub: bounded for the node that opens
// them, for the node that accepts them, and for each pair of nodes, so that one node can't take all
// places of another.

import { TransportError } from '@trunkline/transport-core';

/** The share of a node's places that one other node may take: an eighth, but at least two. */
const SHARE = 1 / 8;
const LEAST_SHARE = 2;

/** An owner of places: a registered node. */
export interface PlaceOwner {
  readonly nodeId: string;
}

/** The places of one kind. */
export class Places {
  readonly #noun: string;
  readonly #most: number;
  readonly #opened = new Map<PlaceOwner, Map<PlaceOwner, number>>();
  readonly #accepted = new Map<PlaceOwner, number>();
  #size = 0;

  /** @param most the maximum number of places of a node in each direction. */
  constructor(noun: string, most: number) {
    this.#noun = noun;
    this.#most = most;
  }

  /** The number of places that are taken. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes a place and returns the function that frees it. Throws `resource_exhausted` above a
   * limit.
   */
  take(caller: PlaceOwner, callee: PlaceOwner): () => void {
    const opened = this.#opened.get(caller) ?? new Map<PlaceOwner, number>();
    const toCallee = opened.get(callee) ?? 0;
    const accepted = this.#accepted.get(callee) ?? 0;
    const total = [...opened.values()].reduce((sum, count) => sum + count, 0);
    this.#check(total, this.#most, `node '${caller.nodeId}' has opened`);
    this.#check(accepted, this.#most, `node '${callee.nodeId}' has accepted`);
    const share = Math.max(LEAST_SHARE, Math.floor(this.#most * SHARE));
    this.#check(toCallee, share, `node '${caller.nodeId}' has opened to '${callee.nodeId}'`);
    this.#opened.set(caller, opened.set(callee, toCallee + 1));
    this.#accepted.set(callee, accepted + 1);
    this.#size++;
    return () => this.#free(caller, callee);
  }

  #check(count: number, most: number, who: string): void {
    if (count >= most)
      throw new TransportError('resource_exhausted', `${who} ${count} ${this.#noun}, its most`);
  }

  #free(caller: PlaceOwner, callee: PlaceOwner): void {
    const opened = this.#opened.get(caller)!;
    countDown(opened, callee);
    if (opened.size === 0) this.#opened.delete(caller);
    countDown(this.#accepted, callee);
    this.#size--;
  }
}

function countDown(counts: Map<PlaceOwner, number>, owner: PlaceOwner): void {
  const left = counts.get(owner)! - 1;
  if (left === 0) counts.delete(owner);
  else counts.set(owner, left);
}
