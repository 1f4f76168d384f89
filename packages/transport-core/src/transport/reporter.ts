// Reports calls, dials, handshakes and gossip messages to the observer and to tracing channels. If
// nobody listens, nothing is measured.

import type { Clock } from '../clock.ts';
import type { ErrorCode, TransportError } from '../errors.ts';
import type {
  CallRecord,
  DeliveryRecord,
  DialRecord,
  HandshakeRecord,
  Observer,
  ObserverEvent,
  PublishRecord,
  TraceChannel,
  TraceChannels,
  TransportCounter,
} from '../observer.ts';
import type { Remote } from '../remote.ts';
import type { CallWatch } from '../rpc/records.ts';
import type { Connection } from '../stream/connection.ts';
import type { ConnectionEvent } from './types.ts';

/** The observer and the tracing channels of one transport. */
export class Reporter implements CallWatch {
  /** This reporter while calls are observed; otherwise undefined. */
  watch: CallWatch | undefined;
  readonly #observer: Observer;
  readonly #channels: TraceChannels | undefined;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #changed: (watch: CallWatch | undefined) => void;
  /** The time that `readNow` returned last. */
  #read = Number.NEGATIVE_INFINITY;

  /**
   * @param now returns the time of this tick.
   * @param changed receives `watch` when it has changed.
   */
  constructor(
    observer: Observer | undefined,
    channels: TraceChannels | undefined,
    clock: Clock,
    now: () => number,
    changed: (watch: CallWatch | undefined) => void,
  ) {
    this.#observer = observer ?? {};
    this.#channels = channels;
    this.#clock = clock;
    this.#now = now;
    this.#changed = changed;
    this.watch = this.#isHeard ? this : undefined;
  }

  get now(): number {
    return Math.max(this.#now(), this.#read);
  }

  readNow(): number {
    return (this.#read = this.#clock.now());
  }

  // Calls.

  get #isHeard(): boolean {
    const { callStarted, callEnded, handlerStarted, handlerEnded } = this.#observer;
    if ((callStarted ?? callEnded ?? handlerStarted ?? handlerEnded) !== undefined) return true;
    return (
      this.#channels !== undefined &&
      (this.#channels.call.hasSubscribers || this.#channels.handle.hasSubscribers)
    );
  }

  /**
   * Finds out whether the channels of calls have subscribers. Called at the beginning of each tick,
   * because no event reports that a subscriber was added or removed.
   */
  look(): void {
    const isHeard = this.#isHeard;
    if (isHeard === (this.watch !== undefined)) return;
    this.watch = isHeard ? this : undefined;
    this.#changed(this.watch);
  }

  begin(record: CallRecord): TraceChannel | undefined {
    const isClient = record.side === 'client';
    try {
      if (isClient) this.#observer.callStarted?.(record);
      else this.#observer.handlerStarted?.(record);
    } catch {
      // An observer must not throw; its errors are ignored.
    }
    if (this.#channels === undefined) return undefined;
    const channel = isClient ? this.#channels.call : this.#channels.handle;
    return channel.hasSubscribers ? channel : undefined;
  }

  end(record: CallRecord): void {
    const isClient = record.side === 'client';
    try {
      if (isClient) this.#observer.callEnded?.(record);
      else this.#observer.handlerEnded?.(record);
    } catch {
      // An observer's errors are ignored here, too.
    }
    if (this.#channels === undefined) return;
    const channel = isClient ? this.#channels.call : this.#channels.handle;
    if (channel.hasSubscribers) channel.settled(record);
  }

  // Connections.

  /** Performs a dial and reports it. */
  dial<C extends { readonly remote: Remote | undefined }>(
    target: string,
    work: () => Promise<C>,
  ): Promise<C> {
    const channel = this.#channels?.dial;
    if (this.#observer.dialEnded === undefined && channel?.hasSubscribers !== true) return work();
    const startedAt = this.now;
    const record: Writable<DialRecord> = {
      target,
      startedAt,
      duration: 0,
      remote: undefined,
      error: undefined,
    };
    return this.#operation(channel, record, work, (connection) => {
      record.remote = connection?.remote;
      this.#tell('dialEnded', record);
    });
  }

  /** Reports a handshake; `connection` began it at the time `since`. */
  handshakeEnded(
    { endpoint, direction, remote, since }: Connection,
    error: TransportError | undefined,
  ): void {
    if (this.#observer.handshakeEnded === undefined) return;
    const duration = this.now - since;
    this.#tell('handshakeEnded', { endpoint, direction, duration, remote, error });
  }

  // Gossip.

  /** Publishes a gossip message and reports it. */
  publish<T>(topic: string, bytes: number, work: () => Promise<T>): Promise<T> {
    const channel = this.#channels?.publish;
    const startedAt = this.now;
    const record: Writable<PublishRecord> = {
      topic,
      bytes,
      startedAt,
      duration: 0,
      error: undefined,
    };
    return this.#operation(channel, record, work, () => this.#tell('publishEnded', record));
  }

  /** True if the messages that this node publishes are observed. */
  get hearsPublications(): boolean {
    return (
      this.#observer.publishEnded !== undefined || this.#channels?.publish.hasSubscribers === true
    );
  }

  /** True if messages from other nodes are observed. */
  get hearsDeliveries(): boolean {
    return this.#observer.delivered !== undefined;
  }

  delivered(record: DeliveryRecord): void {
    this.#tell('delivered', record);
  }

  /** Performs an operation of a tracing channel. */
  async #operation<T>(
    channel: TraceChannel | undefined,
    record: Writable<DialRecord | PublishRecord>,
    work: () => Promise<T>,
    ended: (result: T | undefined) => void,
  ): Promise<T> {
    let result: T | undefined;
    try {
      result = await (channel?.hasSubscribers === true ? channel.run(record, work) : work());
      return result;
    } catch (error) {
      record.error = error as TransportError;
      throw error;
    } finally {
      record.duration = this.now - record.startedAt;
      ended(result);
      if (channel?.hasSubscribers === true) channel.settled(record);
    }
  }

  #tell(
    hook: 'dialEnded' | 'handshakeEnded' | 'publishEnded' | 'delivered',
    record: DialRecord | HandshakeRecord | PublishRecord | DeliveryRecord,
  ): void {
    try {
      this.#observer[hook]?.(record as never);
    } catch {
      // An observer's errors are ignored here, too.
    }
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

// Reports a transport's events to its observer and to readers of `connections()`, and keeps its
// counters.

/** The events and counters of one transport. */
export class EventDispatcher {
  /** The number of failed calls made here, by code. */
  readonly errors = new Map<ErrorCode, number>();
  readonly counters = new Map<TransportCounter, number>();
  readonly #observer: Observer | undefined;
  /** True once the transport closes. */
  #isClosing = false;
  readonly #followers = new Set<ConnectionEvents>();

  constructor(observer: Observer | undefined) {
    this.#observer = observer;
  }

  tell(event: ObserverEvent): void {
    try {
      this.#observer?.event?.(event);
    } catch {
      // An observer must not throw; its errors are ignored.
    }
    if (event.type === 'up' || event.type === 'down') this.pass(event);
  }

  /** Passes an event to the readers of `connections()`. */
  pass(event: ConnectionEvent): void {
    for (const follower of this.#followers) follower.push(event);
  }

  count(counter: TransportCounter, amount: number, remote: Remote | undefined): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount);
    try {
      this.#observer?.count?.(counter, amount, remote, this.#isClosing);
    } catch {
      // An observer's errors are ignored here, too.
    }
  }

  /** Called when the transport begins to close. */
  closing(): void {
    this.#isClosing = true;
  }

  /** Records that a call made here has failed. */
  callFailed(code: ErrorCode): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** Returns an iterator over connections coming up and going down, starting with the live ones. */
  follow(live: readonly Remote[]): ConnectionEvents {
    const events = new ConnectionEvents(live, (gone) => this.#followers.delete(gone));
    this.#followers.add(events);
    return events;
  }

  /** Ends all readers, because the transport is closed. */
  end(): void {
    for (const follower of this.#followers) follower.end();
    this.#followers.clear();
  }
}

// Connections coming up and going down, and failed dials, as an async iterator that starts with the
// live connections. If the reader lags, connections that came and went in the meantime are left
// out, and all failed dials but the last.

/** The iterator that `connections()` returns. */
export class ConnectionEvents implements AsyncIterableIterator<ConnectionEvent> {
  readonly #queue: ConnectionEvent[];
  readonly #waiting: ((result: IteratorResult<ConnectionEvent, undefined>) => void)[] = [];
  readonly #left: (events: ConnectionEvents) => void;
  #over = false;

  /** @param left called once, when the reader leaves. */
  constructor(live: readonly Remote[], left: (events: ConnectionEvents) => void) {
    this.#queue = live.map((remote) => ({ type: 'up', remote }));
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: ConnectionEvent): void {
    const reader = this.#waiting.shift();
    if (reader !== undefined) return reader({ value: event, done: false });
    if (event.type !== 'up' && this.#queue.length >= LAG) {
      const at = this.#queue.findIndex((queued) =>
        event.type === 'failed'
          ? queued.type === 'failed'
          : queued.type === 'up' && queued.remote === event.remote,
      );
      if (at >= 0) this.#queue.splice(at, 1);
      if (at >= 0 && event.type === 'down') return;
    }
    this.#queue.push(event);
  }

  next(): Promise<IteratorResult<ConnectionEvent, undefined>> {
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<ConnectionEvent, undefined>> {
    this.#queue.length = 0;
    this.end();
    this.#left(this);
    return Promise.resolve(DONE);
  }

  /** Ends the iterator, because the transport is closed; unread events can still be read. */
  end(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }
}

/**
 * The length from which the queue omits both events of a connection whose 'up' was still unread
 * when it went down, and the oldest failed dial for each new one. This bounds the queue by the
 * number of live connections.
 */
const LAG = 1_024;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
