// Visits: a node that is full answers one question of a newcomer for addresses, and the link ends. At neither end is it a peer's.

import type { Remote } from '@trunkline/transport-core';
import { Visitors } from '../admission/visitors.ts';

interface Visit {
  readonly nodeId: string;
  /** When it has taken too long. */
  readonly due: number;
  /** The question was answered. */
  isOver: boolean;
}

export class Visits {
  readonly #visitors: Visitors;
  readonly #open = new Map<Remote, Visit>();

  /** @param pause milliseconds between two visits that a node may make here. */
  constructor(pause: number) {
    this.#visitors = new Visitors(pause);
  }

  /** Lets a node visit this one, where it may: one visit of a node at a time. @param coming the nodes whose visits were let in and are not up. */
  take(nodeId: string, coming: readonly string[], now: number): boolean {
    const open = [...coming];
    for (const [{ direction }, visit] of this.#open) if (direction === 'in') open.push(visit.nodeId);
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

  /** Takes the one question of a visitor, or the one answer of a host. Returns the other end's node id, undefined if nothing is to come there. */
  conclude(remote: Remote, direction: 'in' | 'out', now: number): string | undefined {
    const visit = this.#open.get(remote);
    if (visit === undefined || visit.isOver || remote.direction !== direction) return undefined;
    visit.isOver = true;
    if (direction === 'in') this.#visitors.told(visit.nodeId, now);
    return visit.nodeId;
  }

  /** When the first of them has taken too long. */
  get due(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const visit of this.#open.values()) if (!visit.isOver) due = Math.min(due, visit.due);
    return due;
  }

  /** Visits to end, because they have taken too long. */
  expire(now: number): Remote[] {
    const late: Remote[] = [];
    for (const [remote, visit] of this.#open) {
      if (visit.isOver || now < visit.due) continue;
      visit.isOver = true;
      late.push(remote);
    }
    return late;
  }

  /** Ends all of them. Returns their links. */
  close(): Remote[] {
    const all = [...this.#open.keys()];
    this.#open.clear();
    return all;
  }
}

/** Milliseconds of a visit: a round trip or two, over a slow line. */
const LONGEST = 3_000;
