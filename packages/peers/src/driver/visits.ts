// Visits: a full node answers one request of a newcomer for addresses, and then the connection
// ends. Neither end treats it as a peer's connection.

import type { Remote } from '@trunkline/transport-core';
import { Visitors } from '../admission/visitors.ts';

interface Visit {
  readonly nodeId: string;
  /** Time at which the visit times out. */
  readonly due: number;
  /** True if the request was answered or the visit timed out. */
  isOver: boolean;
}

export class Visits {
  readonly #visitors: Visitors;
  readonly #open = new Map<Remote, Visit>();

  /** @param pause milliseconds between two visits of the same node. */
  constructor(pause: number) {
    this.#visitors = new Visitors(pause);
  }

  /**
   * Admits a visit if the limits allow it; a node may have only one visit at a time. @param coming
   * ids of the nodes whose visits were admitted but whose connections are not up yet.
   */
  take(nodeId: string, coming: readonly string[], now: number): boolean {
    const open = [...coming];
    for (const [{ direction }, visit] of this.#open)
      if (direction === 'in') open.push(visit.nodeId);
    return !open.includes(nodeId) && this.#visitors.take(nodeId, open.length, now);
  }

  begin(remote: Remote, nodeId: string, now: number): void {
    this.#open.set(remote, { nodeId, due: now + LONGEST, isOver: false });
  }

  end(remote: Remote): void {
    this.#open.delete(remote);
  }

  has(remote: Remote): boolean {
    return this.#open.has(remote);
  }

  /**
   * Ends the exchange of a visit: called for the single request of a visitor, or the single answer
   * of a host. Returns the other end's node id, or undefined if no request or answer is expected on
   * this connection.
   */
  conclude(remote: Remote, direction: 'in' | 'out', now: number): string | undefined {
    const visit = this.#open.get(remote);
    if (visit === undefined || visit.isOver || remote.direction !== direction) return undefined;
    visit.isOver = true;
    if (direction === 'in') this.#visitors.told(visit.nodeId, now);
    return visit.nodeId;
  }

  /** Time at which the first visit times out. */
  get wakeAt(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const visit of this.#open.values()) if (!visit.isOver) due = Math.min(due, visit.due);
    return due;
  }

  /** Returns the connections of visits that have timed out, to be closed. */
  expire(now: number): Remote[] {
    const late: Remote[] = [];
    for (const [remote, visit] of this.#open) {
      if (visit.isOver || now < visit.due) continue;
      visit.isOver = true;
      late.push(remote);
    }
    return late;
  }

  /** Forgets all visits and returns their connections. */
  close(): Remote[] {
    const all = [...this.#open.keys()];
    this.#open.clear();
    return all;
  }
}

/** Time limit of a visit in milliseconds: one or two round trips over a slow connection. */
const LONGEST = 3_000;
