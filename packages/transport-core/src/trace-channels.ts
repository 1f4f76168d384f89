// The port through which tools that trace a process follow calls, dials and published messages. The
// backends for Node fill it with the tracing channels of node:diagnostics_channel.

/** One tracing channel. */
export interface TraceChannel {
  readonly hasSubscribers: boolean;
  /**
   * Publishes the start of an operation, runs its synchronous part in the context that subscribers
   * have bound to the start, and publishes the end of that part.
   */
  run<T>(operation: object, work: () => T): T;
  /** Publishes that the operation has ended. It has failed if its `error` is set. */
  settled(operation: { readonly error: unknown }): void;
}

/**
 * The tracing channels of a process. The operations are the records that an Observer receives:
 * `call` and `handle` publish a CallRecord, `dial` a DialRecord, `publish` a PublishRecord.
 */
export interface TraceChannels {
  readonly call: TraceChannel;
  readonly handle: TraceChannel;
  readonly dial: TraceChannel;
  readonly publish: TraceChannel;
}
