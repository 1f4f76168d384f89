// The queue of future events, ordered by time and then by the order in which they were scheduled.

import type { RuntimeOverride } from '@trunkline/transport-core/internal';

/**
 * The owner of an event: one incarnation of a node or client. Events of a dead owner never happen;
 * events of a busy owner wait.
 */
export interface EventOwner {
  readonly name: string;
  /** The owner's number in the trace. */
  readonly number: number;
  /** True if this is a client outside all nodes: its code belongs to the test. */
  readonly isClient: boolean;
  /** Answers the owner's code when it asks the system for randomness or the time of day. */
  readonly system?: Omit<RuntimeOverride, 'refuse'> | undefined;
  alive: boolean;
  /**
   * Virtual time before which none of the owner's events run, because it is paused or its CPU is
   * slow.
   */
  busyUntil: number;
  /** The milliseconds of CPU time that each event costs the owner. */
  cost: number;
}

/** An event: it happens once, at a virtual time. */
export interface SimEvent {
  at: number;
  order: number;
  readonly owner: EventOwner | undefined;
  readonly kind: EventKind;
  /** Undefined once the event has run or is canceled, or was dropped because its owner ended. */
  run: ((argument: any) => void) | undefined;
  /** The argument of `run`. Because of it, data in flight needs no separate closure. */
  readonly argument: unknown;
}

/** The kind of an event, for counts and traces. */
export type EventKind = 'timer' | 'network' | 'store' | 'task';

/**
 * A binary heap of events. Canceled events stay in it until they reach the top, or until they make
 * up more than half of it.
 */
export class EventQueue {
  #heap: SimEvent[] = [];
  #orders = 0;
  #cancelled = 0;
  #putOff = 0;

  /**
   * Number of waiting events, without canceled ones. Events of dead owners count until they reach
   * the top.
   */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add<T>(
    at: number,
    kind: EventKind,
    owner: EventOwner | undefined,
    run: (argument: T) => void,
    argument: T,
  ): SimEvent {
    const event = { at, order: this.#orders++, owner, kind, run, argument };
    this.#push(event);
    return event;
  }

  cancel(event: SimEvent): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#cancelled++;
    if (this.#cancelled > COMPACT && this.#cancelled > this.#heap.length / 2) this.#compact();
  }

  /**
   * Takes out and returns the next event due at `end` or before. Postpones events of busy owners,
   * and drops those of dead owners. The caller sets `run` to undefined before it runs the event.
   */
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
      if (!owner.alive) {
        first.run = undefined;
        continue;
      }
      if (owner.busyUntil <= first.at) return first;
      // A postponed event runs before events that become due only at that time; postponed events
      // keep their order.
      first.at = owner.busyUntil;
      first.order = PUT_OFF + this.#putOff++;
      this.#push(first);
    }
  }

  /** Returns the earliest time at which an event is due, or Infinity if there is none. */
  soonest(): number {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.run !== undefined && first.owner?.alive !== false) return first.at;
      this.#pop();
      if (first.run === undefined) this.#cancelled--;
      first.run = undefined;
    }
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Returns true if the next event is a timer that is due at that time. Call `soonest` first: it
   * removes canceled events and those of dead owners from the top.
   */
  hasTimerAt(time: number): boolean {
    const first = this.#heap[0];
    return first !== undefined && first.at === time && first.kind === 'timer';
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

  /** Puts `event` in its place at or below `at`, which is free. */
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

/** The first order number of postponed events, below all others. */
const PUT_OFF = -(2 ** 52);
/** Number of canceled events that may stay, regardless of their share. */
const COMPACT = 64;
