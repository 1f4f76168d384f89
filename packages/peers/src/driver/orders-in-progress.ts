// The orders to dial that are in progress: those of the planner, of a crawling seed, and of callers
// that wait for a node.

import type { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import type { DialKind } from '../dialing/dial-order.ts';

/**
 * A dial that the planner ordered, that a caller waits for (`asked`), or that a crawling seed wants
 * (`crawl`).
 */
export interface Order {
  readonly address: string;
  readonly nodeId: string | undefined;
  readonly kind: DialKind | 'asked' | 'crawl';
  /** True if other nodes reported the address; see `isReported`. */
  readonly reported?: boolean;
}

/**
 * Returns true if other nodes reported the address of an order. If the order does not specify this,
 * the result is true except for persistent peers and seeds, whose addresses come from the operator.
 */
export function isReported({ kind, reported }: Order): boolean {
  return reported ?? (kind !== 'persistent' && kind !== 'seed');
}

/** An order in progress. */
export interface OrderInProgress {
  /** The target that the transport was given. */
  target: string;
  /** The IP addresses to dial, if the target has a host name that was looked up. */
  addresses?: readonly string[] | undefined;
  /** The time at which the dial is given up. */
  readonly due: number;
  readonly cancel: AbortController;
}

export class OrdersInProgress {
  readonly #orders = new Map<Order, OrderInProgress>();

  /** Returns the orders that a dial of the transport serves. */
  of(target: string | undefined): Order[] {
    return [...this.#orders].filter(([, one]) => one.target === target).map(([order]) => order);
  }

  /** Returns the IP addresses at which to dial a target. */
  addressesOf(target: string): readonly string[] | undefined {
    for (const one of this.#orders.values()) if (one.target === target) return one.addresses;
    return undefined;
  }

  /** Returns whether this node is being dialed. */
  isReaching(nodeId: string): boolean {
    for (const order of this.#orders.keys()) if (order.nodeId === nodeId) return true;
    return false;
  }

  begin(order: Order, now: number): OrderInProgress {
    const one: OrderInProgress = {
      target: order.address,
      due: now + LONGEST_DIAL,
      cancel: new AbortController(),
    };
    this.#orders.set(order, one);
    return one;
  }

  /**
   * Ends an order, because its connection is up or the dial failed. Returns false if it has ended
   * already.
   */
  end(order: Order): boolean {
    return this.#orders.delete(order);
  }

  /** Cancels the dials of a node that no caller waits for any more. */
  cancel(nodeId: string): void {
    for (const [order, { cancel }] of this.#orders)
      if (order.kind === 'asked' && order.nodeId === nodeId) cancel.abort();
  }

  /** Time at which the first of the dials times out. */
  get wakeAt(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const one of this.#orders.values()) due = Math.min(due, one.due);
    return due;
  }

  /**
   * Ends and returns an order whose dial has taken too long, because the user's `resolve` or
   * `lookup` does not answer.
   */
  expire(now: number): { readonly order: Order; readonly error: TransportError } | undefined {
    for (const [order, { due, target, cancel }] of this.#orders) {
      if (now < due) continue;
      this.#orders.delete(order);
      cancel.abort();
      const text = `Cannot connect to ${target}: the dial was not complete after ${LONGEST_DIAL} ms`;
      return { order, error: reasonError('dial_timeout', text, { target, sent: false }) };
    }
    return undefined;
  }

  /** Cancels all dials, which then have no outcome. */
  close(): void {
    const all = [...this.#orders.values()];
    this.#orders.clear();
    for (const { cancel } of all) cancel.abort();
  }
}

/**
 * Time limit of a dial in milliseconds, including name resolution. The transport's own limits
 * (`dialTimeout`, `handshakeTimeout`) are shorter.
 */
const LONGEST_DIAL = 60_000;
