// The contract of the state machines in peers and gossip: inputs in, queued outputs out, no I/O.

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
