// The contract of the state machines in peers and gossip: inputs in, queued outputs out, no I/O;
// the queue of their outputs; and the limit of a rate.

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

/**
 * A token bucket, stored as the time at which it will be full (GCRA). Reading changes nothing, so
 * rounding errors don't add up.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #burst: number;
  #fullAt = Number.NEGATIVE_INFINITY;

  /** Allows `most` actions at once, and one more every `interval` milliseconds. */
  constructor(most: number, interval: number) {
    this.#interval = interval;
    this.#burst = (most - 1) * interval;
  }

  /** Time of the next action; it may be taken now if that is not in the future. */
  get readyAt(): number {
    return this.#fullAt - this.#burst;
  }

  take(now: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + this.#interval;
  }
}
