// Records what the observer of the transport under test receives.

import type { Observer, ObserverEvent } from '@trunkline/transport-core';
import type { TransportCounter } from '@trunkline/transport-core/backend';

export interface ObserverLog {
  readonly events: ObserverEvent[];
  /** Returns the amount counted so far. */
  counted(counter: TransportCounter): number;
  /** Resolves once at least `amount` has been counted. */
  reaches(counter: TransportCounter, amount: number): Promise<void>;
  /** Resolves with the first event of that type, including past ones. */
  first<T extends ObserverEvent['type']>(type: T): Promise<Extract<ObserverEvent, { type: T }>>;
  /** Describes the events that callers now wait for. */
  waits(): string[];
}

/** Returns an observer, and the record of its events. */
export function recordObserver(): { seen: ObserverLog; observer: Observer } {
  const events: ObserverEvent[] = [];
  const counts = new Map<TransportCounter, number>();
  /** The callers that wait, and the event that each waits for. */
  const waiters = new Map<() => void, string>();
  const wake = () => {
    for (const waiter of [...waiters.keys()]) waiter();
  };
  const when = <T>(what: string, ready: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const look = () => {
        const found = ready();
        if (found === undefined) return;
        waiters.delete(look);
        resolve(found);
      };
      waiters.set(look, what);
      look();
    });
  const counted = (counter: TransportCounter) => counts.get(counter) ?? 0;
  return {
    observer: {
      event(event) {
        events.push(event);
        wake();
      },
      count(counter, amount) {
        counts.set(counter, counted(counter) + amount);
        wake();
      },
    },
    seen: {
      events,
      counted,
      reaches: (counter, amount) =>
        when(`${amount} of '${counter}' at the observer`, () =>
          counted(counter) >= amount ? true : undefined,
        ).then(() => {}),
      first: (type) =>
        when(`'${type}' at the observer`, () =>
          events.find((event) => event.type === type),
        ) as never,
      waits: () => [...waiters.values()],
    },
  };
}
