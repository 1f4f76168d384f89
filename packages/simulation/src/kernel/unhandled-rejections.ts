// Rejected promises that have no handler so far, each with the owner whose code rejected it. The
// event loop reports rejections to it and, when an instant is over, asks it which owner to blame.

import type { EventOwner } from './event-queue.ts';

/** A rejected promise without a handler. */
export interface UnhandledRejection {
  readonly owner: EventOwner | undefined;
  readonly error: unknown;
}

/** The rejections of a simulation that nothing has handled. */
export class UnhandledRejections {
  /** The owners of promises that async callbacks returned. */
  readonly #owners = new WeakMap<object, EventOwner>();
  readonly #unhandled = new Map<object, UnhandledRejection>();
  /**
   * The number of unhandled rejections that belong to nodes and that `takeOfNodes` has not taken.
   */
  #ofNodes = 0;

  get size(): number {
    return this.#unhandled.size;
  }

  /** True if a node may be to blame for a rejection. */
  get hasSuspects(): boolean {
    return this.#ofNodes > 0;
  }

  /** Makes `owner` responsible if the promise of an async callback is ever rejected. */
  attribute(promise: object, owner: EventOwner): void {
    this.#owners.set(promise, owner);
  }

  /**
   * Returns the owner that is responsible for a promise: the one that `attribute` set, or `acting`
   * if there is none.
   */
  ownerOf(promise: object, acting: EventOwner | undefined): EventOwner | undefined {
    return this.#owners.get(promise) ?? acting;
  }

  add(promise: object, rejection: UnhandledRejection): void {
    this.#unhandled.set(promise, rejection);
    if (isNode(rejection.owner)) this.#ofNodes++;
  }

  /** Removes a promise that has got a handler. */
  handled(promise: object): void {
    const known = this.#unhandled.get(promise);
    if (known === undefined) return;
    this.#unhandled.delete(promise);
    if (isNode(known.owner)) this.#ofNodes--;
  }

  /** Removes and returns the rejections of nodes, oldest first. */
  takeOfNodes(): readonly UnhandledRejection[] {
    this.#ofNodes = 0;
    const taken: UnhandledRejection[] = [];
    for (const [promise, rejection] of this.#unhandled) {
      if (!isNode(rejection.owner)) continue;
      this.#unhandled.delete(promise);
      taken.push(rejection);
    }
    return taken;
  }

  /** Removes all rejections, and returns the oldest. */
  clear(): UnhandledRejection | undefined {
    const [oldest] = this.#unhandled.values();
    this.#unhandled.clear();
    return oldest;
  }
}

/**
 * Returns whether an owner is a node. Clients belong to the test, which may handle their promises
 * later.
 */
function isNode(owner: EventOwner | undefined): boolean {
  return owner !== undefined && !owner.isClient;
}
