// What happens on a transport, told to its observer and to those who follow its connections; and what is counted meanwhile.

import type { Code } from '../errors.ts';
import type { Counter, Observer, ObserverEvent } from '../observer.ts';
import type { Remote } from '../remote.ts';
import { ConnectionEvents } from './connection-events.ts';

export class Bulletin {
  /** Calls made here that failed, by code. */
  readonly errors = new Map<Code, number>();
  readonly counters = new Map<Counter, number>();
  readonly #observer: Observer | undefined;
  readonly #followers = new Set<ConnectionEvents>();

  constructor(observer: Observer | undefined) {
    this.#observer = observer;
  }

  tell(event: ObserverEvent): void {
    try {
      this.#observer?.event?.(event);
    } catch {
      // An observer must not throw; one that does is not heard.
    }
    if (event.type === 'up' || event.type === 'down') for (const follower of this.#followers) follower.push(event);
  }

  count(counter: Counter, amount: number, remote: Remote | undefined): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount);
    try {
      this.#observer?.count?.(counter, amount, remote);
    } catch {
      // As above.
    }
  }

  /** A call has settled, with this code where it failed. */
  settled(code: Code | undefined): void {
    if (code !== undefined) this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** Who comes and goes, those that live first. */
  follow(live: readonly Remote[]): ConnectionEvents {
    const events = new ConnectionEvents(live, (gone) => this.#followers.delete(gone));
    this.#followers.add(events);
    return events;
  }

  /** The transport is closed: nothing more happens. */
  end(): void {
    for (const follower of this.#followers) follower.end();
    this.#followers.clear();
  }
}
