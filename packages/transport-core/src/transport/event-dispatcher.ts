// Reports a transport's events to its observer and to readers of `connections()`, and keeps its
// counters.

import type { ErrorCode } from '../errors.ts';
import type { Observer, ObserverEvent, TransportCounter } from '../observer.ts';
import type { Remote } from '../remote.ts';
import type { ConnectionEvent } from './types.ts';

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
