// The contract of gossip's state machines: inputs in, queued outputs out, no I/O. With it, the
// queue of their outputs, which machine.test.ts tests, and random samples. (The machines of peers
// have methods instead.)

import type { Random } from '@trunkline/transport-core';

/**
 * A state machine without I/O. It never throws because of something that a peer sent: bad input
 * becomes an output. Times are milliseconds of a monotonic clock.
 */
export interface Machine<Input, Output> {
  /** Processes an input and queues the outputs that it causes. */
  handle(now: number, input: Input): void;
  /** Removes and returns the oldest output; undefined if there is none. */
  poll(): Output | undefined;
  /**
   * The time at which the machine must be given an input, because something is due; Infinity if
   * never. Read it after each input.
   */
  readonly wakeAt: number;
}

/**
 * A queue from which a machine's `poll` takes its outputs. It reuses its slots, so queuing an
 * output allocates no memory. Its driver empties it after each input, so its length is bounded.
 */
export class OutputQueue<T> {
  readonly #places: (T | undefined)[] = [];
  #first = 0;
  #end = 0;

  add(output: T): void {
    this.#places[this.#end++] = output;
  }

  /** Removes and returns the oldest output; undefined if there is none. */
  poll(): T | undefined {
    if (this.#first === this.#end) return undefined;
    const output = this.#places[this.#first];
    this.#places[this.#first++] = undefined;
    if (this.#first === this.#end) this.#first = this.#end = 0;
    return output;
  }
}

/** Returns at most `count` different items of the list, all with equal probability. */
export function sample<T>(list: readonly T[], count: number, random: Random): T[] {
  const rest = list.slice();
  const end = Math.min(count, rest.length);
  for (let i = 0; i < end; i++) {
    const j = i + Math.floor(random() * (rest.length - i));
    [rest[i], rest[j]] = [rest[j]!, rest[i]!];
  }
  rest.length = end;
  return rest;
}
