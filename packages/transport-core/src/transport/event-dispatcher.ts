// Reports a transport's events to its observer and to readers of `connections()`, and keeps its
// counters.

import type { ErrorCode } from '../errors.ts';
import type { Observer, ObserverEvent, TransportCounter } from '../observer.ts';
import type { Remote } from '../remote.ts';
import { ConnectionEvents } from './connection-events.ts';
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
