// What will happen, by time and then by the order in which it was asked for.

import type { SystemStandIn } from '@trunkline/transport-core';

/** Whose an event is. What belongs to a dead owner never happens; what belongs to a busy one waits. */
export interface Owner {
  readonly name: string;
  /** Its number in the trace. */
  readonly number: number;
  /** Outside of every node: its code is the test's. */
  readonly isClient: boolean;
  /** What its code gets when it asks the machine for randomness or for the time of day. */
  readonly system?: SystemStandIn | undefined;
  alive: boolean;
  /** Nothing of its own runs before this time: it is paused, or its CPU is slow. */
  busyUntil: number;
  /** Milliseconds that each event costs it. */
  cost: number;
}

/** Something that happens once, at a time. */
export interface SimEvent {
  at: number;
  order: number;
  readonly owner: Owner | undefined;
  readonly kind: EventKind;
  /** Undefined once it ran or was cancelled. */
  run: ((cargo: any) => void) | undefined;
  /** What `run` is given: so that what travels needs no function of its own. */
  readonly cargo: unknown;
}

/** What an event is, for whoever counts and traces. */
export type EventKind = 'timer' | 'network' | 'store' | 'world';

/** A binary heap. Cancelled events stay until they come up, or until they are the greater part of it. */
export class EventQueue {
  #heap: SimEvent[] = [];
  #orders = 0;
  #cancelled = 0;
  #putOff = 0;

  /** Events that wait, cancelled ones left out. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add<T>(at: number, kind: EventKind, owner: Owner | undefined, run: (cargo: T) => void, cargo: T): SimEvent {
    const event = { at, order: this.#orders++, owner, kind, run, cargo };
    this.#push(event);
    return event;
  }

  cancel(event: SimEvent): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#cancelled++;
    if (this.#cancelled > COMPACT && this.#cancelled > this.#heap.length / 2) this.#compact();
  }

  /** The next event at `end` or before, taken out; an event of a busy owner is put off, one of a dead owner dropped. */
  next(end: number): SimEvent | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > end) return undefined;
      this.#pop();
      if (first.run === undefined) {
        this.#cancelled--;
        continue;
      }
      const { owner } = first;
      if (owner === undefined) return first;
      if (!owner.alive) continue;
      if (owner.busyUntil <= first.at) return first;
      // Before all that is due then only, and in the order in which they were due.
      first.at = owner.busyUntil;
      first.order = PUT_OFF + this.#putOff++;
      this.#push(first);
    }
  }

  /** When the next event is due, at the earliest; Infinity where there is none. */
  soonest(): number {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run !== undefined && first.owner?.alive !== false) return first.at;
      this.#pop();
      if (first.run === undefined) this.#cancelled--;
    }
    return Number.POSITIVE_INFINITY;
  }

  #push(event: SimEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (!before(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(0, last);
  }

  /** Puts `event` where it belongs at or below `at`, whose place is free. */
  #sink(at: number, event: SimEvent): void {
    const heap = this.#heap;
    const { length } = heap;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++;
      const below = heap[child]!;
      if (!before(below, event)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = event;
  }

  #compact(): void {
    this.#heap = this.#heap.filter(({ run }) => run !== undefined);
    this.#cancelled = 0;
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at, this.#heap[at]!);
  }
}

function before(a: SimEvent, b: SimEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Orders of what was put off begin here, below all others. */
const PUT_OFF = -(2 ** 52);
/** So many cancelled events may stay, whatever their share. */
const COMPACT = 64;
