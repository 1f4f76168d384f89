// Reports a transport's events to its observer and to readers of `connections()`, and keeps its
// counters.

import type { ErrorCode } from '../errors.ts';
import { EventReader } from '../event-hub.ts';
import { notify, type Observer, type ObserverEvent, type TransportCounter } from '../observer.ts';
import type { Remote } from '../remote.ts';
import type { ConnectionEvent } from './types.ts';

/** The events and counters of one transport. */
export class EventDispatcher {
  /** The number of failed calls made here, by code. */
  readonly errors = new Map<ErrorCode, number>();
  readonly counters = new Map<TransportCounter, number>();
  readonly #observer: Observer | undefined;
  readonly #isClosing: () => boolean;
  readonly #followers = new Set<ConnectionEvents>();

  constructor(observer: Observer | undefined, isClosing: () => boolean) {
    this.#observer = observer;
    this.#isClosing = isClosing;
  }

  tell(event: ObserverEvent): void {
    notify(this.#observer, 'event', event);
    if (event.type === 'up' || event.type === 'down') this.pass(event);
  }

  /** Passes an event to the readers of `connections()`. */
  pass(event: ConnectionEvent): void {
    for (const follower of this.#followers) follower.push(event);
  }

  count(counter: TransportCounter, amount: number, remote: Remote | undefined): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount);
    notify(this.#observer, 'count', counter, amount, remote, this.#isClosing());
  }

  /** Records that a call made here has failed. */
  callFailed(code: ErrorCode): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** Returns an iterator over connections coming up and going down, starting with the live ones. */
  follow(live: readonly Remote[]): ConnectionEvents {
    const events = new ConnectionEvents(live, () => this.#followers.delete(events));
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
export class ConnectionEvents extends EventReader<ConnectionEvent> {
  constructor(live: readonly Remote[], left: (events: EventReader<ConnectionEvent>) => void) {
    super(left);
    for (const remote of live) this.push({ type: 'up', remote });
  }

  protected override enqueue(event: ConnectionEvent): void {
    if (event.type !== 'up' && this.queue.length >= LAG) {
      const at = this.queue.findIndex((queued) =>
        event.type === 'failed'
          ? queued.type === 'failed'
          : queued.type === 'up' && queued.remote === event.remote,
      );
      if (at >= 0) this.queue.splice(at, 1);
      if (at >= 0 && event.type === 'down') return;
    }
    this.queue.push(event);
  }
}

/**
 * The length from which the queue omits both events of a connection whose 'up' was still unread
 * when it went down, and the oldest failed dial for each new one. This bounds the queue by the
 * number of live connections.
 */
const LAG = 1_024;
