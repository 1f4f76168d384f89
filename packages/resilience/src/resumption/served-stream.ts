// One stream at the server: the last items that a handler wrote, and the call that reads them now.
// A stream owns its ring, its reader, the waiting writers and one timer.

import type { Clock, ClockTimer } from '@trunkline/transport-core';
import { inMs } from '@trunkline/transport-core/backend';
import { failure } from './failures.ts';
import type { ResumableConfig } from './resumable-options.ts';
import { Ring } from './ring.ts';
import { StreamReader } from './stream-reader.ts';

/** The table that holds a stream, as the stream sees it. */
export interface StreamHolder {
  /**
   * Called when the ring has grown by `change` bytes; a negative number means that it has shrunk.
   */
  resized(change: number): void;
  /**
   * Called when the stream was without a connection for too long, has lost items, or its caller has
   * canceled. Must call `remove`.
   */
  expired(error: unknown): void;
}

/** A stream, from the call that opened it until it is removed from its table. */
export class ServedStream<Item> {
  /**
   * The time at which the last call stopped reading, at first that of the creation; undefined while
   * a call reads.
   */
  leftAt: number | undefined;
  readonly #clock: Clock;
  readonly #config: ResumableConfig;
  readonly #holder: StreamHolder;
  readonly #ring: Ring<Item>;
  readonly #controller = new AbortController();
  #reader: StreamReader<Item> | undefined;
  /**
   * The number of items that count as sent. An item counts once a reader has asked for the one
   * after it.
   */
  #sent = 0;
  #end: { readonly error?: unknown } | undefined;
  /** The writes that wait until their items are sent, ordered by offset. */
  #writers: { readonly offset: number; resolve(): void; reject(error: unknown): void }[] = [];
  #timer: ClockTimer | undefined;
  #isRemoved = false;

  constructor(clock: Clock, config: ResumableConfig, holder: StreamHolder) {
    this.#clock = clock;
    this.#config = config;
    this.#holder = holder;
    this.#ring = new Ring(config);
    this.leftAt = clock.now();
  }

  /** Aborts when the stream is removed. The stream's handler receives this signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True if the handler has ended the stream. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** The number of bytes in the items that are kept. */
  get bytes(): number {
    return this.#ring.bytes;
  }

  /**
   * Adds an item. Resolves when its reader asks for the next one or when the item is dropped, and
   * immediately if no call reads and `disconnected` is 'continue'. Rejects once the stream is
   * removed; that never counts as unhandled.
   */
  write(item: Item, size: number): Promise<void> {
    if (this.#isRemoved) return handled(Promise.reject(this.signal.reason));
    const offset = this.#ring.next;
    this.#change(() => this.#ring.append(item, size, this.#clock.now()));
    this.#reader?.wake();
    this.#arm();
    if (this.#isIgnored) return Promise.resolve();
    return handled(
      new Promise<void>((resolve, reject) => {
        this.#writers.push({ offset, resolve, reject });
        this.#tellWriters();
      }),
    );
  }

  /** Ends the stream, with or without an error. Items that were not sent yet are sent first. */
  end(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    this.#reader?.wake();
  }

  /**
   * Lets a call read from `offset` on. The previous reading call ends.
   *
   * @throws TransportError as `check` does.
   */
  attach(
    offset: number,
    signal: AbortSignal,
  ): AsyncIterator<Item, undefined> & AsyncIterableIterator<Item> {
    this.check(offset);
    const before = this.#reader;
    const reader = new StreamReader<Item>(offset, {
      item: (at) => this.#ring.at(at),
      end: (at) => (at >= this.#ring.next ? this.#end : undefined),
      lost: (at) => (at < this.#ring.first ? this.#gap(at) : undefined),
      taken: (at) => this.#taken(at),
      left: (end) => this.#left(reader, signal, end),
    });
    this.#reader = reader;
    this.leftAt = undefined;
    before?.fail(failure('replaced', 'another call continues this stream'));
    this.#rearm();
    if (signal.aborted) void reader.return();
    else signal.addEventListener('abort', () => void reader.return(), { once: true });
    return reader;
  }

  /**
   * Checks that a call could read from `offset` on. If its item is no longer kept and no call
   * reads, the stream is removed.
   *
   * @throws TransportError `out_of_range` if its item is no longer kept, `not_found` if the stream
   * has fewer items.
   */
  check(offset: number): void {
    if (offset > this.#ring.next)
      throw failure(
        'unknown',
        `the client has received ${offset} items of a stream of which ${this.#ring.next} exist`,
      );
    if (offset >= this.#ring.first) return;
    const error = this.#gap(offset);
    if (this.#reader === undefined) this.#holder.expired(error);
    throw error;
  }

  /** True if an item may be dropped; the last one stays. */
  get canShed(): boolean {
    return this.#ring.length > 1;
  }

  /** Drops the oldest item. Only while `canShed` is true. */
  shed(): void {
    this.#change(() => this.#ring.drop());
    this.#tellWriters();
  }

  /** Ends everything: the handler, its writes, the reader and the timer. Called by the table. */
  remove(error: unknown): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    this.#clock.clearTimeout(this.#timer);
    this.#holder.resized(-this.#ring.bytes);
    this.#controller.abort(error);
    for (const { reject } of this.#writers.splice(0)) reject(error);
    this.#reader?.fail(error);
  }

  /** True if the handler continues without a connection. */
  get #isIgnored(): boolean {
    return this.#reader === undefined && this.#config.disconnected === 'continue';
  }

  #taken(offset: number): void {
    if (offset > this.#sent) this.#sent = offset;
    this.#tellWriters();
  }

  /** Resolves the writes whose items were sent or dropped. */
  #tellWriters(): void {
    const settled = this.#isIgnored
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#sent, this.#ring.first);
    let count = 0;
    for (const { offset, resolve } of this.#writers) {
      if (offset >= settled) break;
      resolve();
      count++;
    }
    if (count > 0) this.#writers.splice(0, count);
  }

  /**
   * Handles the end of a call. The stream ends if its caller has canceled, or if it has a gap.
   * Otherwise the stream waits for another call.
   */
  #left(reader: StreamReader<Item>, signal: AbortSignal, end: { error?: unknown }): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.leftAt = this.#clock.now();
    const reason: unknown = signal.aborted ? signal.reason : undefined;
    const code = (reason as { code?: string } | undefined)?.code;
    if (code === 'cancelled' || code === 'deadline_exceeded' || code === 'shutdown')
      return this.#holder.expired(reason);
    if (end.error !== undefined && reader.hasGap) return this.#holder.expired(end.error);
    this.#tellWriters();
    this.#rearm();
  }

  #gap(offset: number): Error {
    const { first, next } = this.#ring;
    return failure(
      'gap',
      `item ${offset} is no longer kept: the server has the items from ${first} to ${next - 1}; start again, or raise the limits of 'resumable'`,
    );
  }

  #change(run: () => void): void {
    const before = this.#ring.bytes;
    run();
    const change = this.#ring.bytes - before;
    if (change !== 0) this.#holder.resized(change);
  }

  #rearm(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#arm();
  }

  /**
   * Sets the timer. If no call reads, it fires when the stream expires; otherwise it fires when the
   * oldest sent item is due to be dropped, but at most eight times in `time`.
   */
  #arm(): void {
    if (this.#timer !== undefined || this.#isRemoved) return;
    const { time } = this.#config;
    const now = this.#clock.now();
    const { oldest } = this.#ring;
    if (this.leftAt !== undefined) this.#wakeIn(this.leftAt + time - now);
    else if (oldest !== undefined) this.#wakeIn(Math.max(oldest + time - now, time / 8));
  }

  #wakeIn(delay: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#onTimer();
    }, delay);
  }

  #onTimer(): void {
    const { time } = this.#config;
    const now = this.#clock.now();
    if (this.leftAt === undefined) this.#change(() => this.#ring.dropUntil(now - time, this.#sent));
    else if (now >= this.leftAt + time)
      return this.#holder.expired(
        failure('unknown', `the stream was without a connection for ${inMs(time)} (time)`),
      );
    this.#arm();
  }
}

/**
 * Returns the promise of a write, whose rejection no longer counts as unhandled, because a handler
 * that does not await its writes must not end the process when its stream is removed.
 */
function handled<P extends Promise<unknown>>(promise: P): P {
  promise.catch(() => {});
  return promise;
}
