// Distributes events to any number of readers, each with a queue. Gossip, peers and the recorder of
// admin report their events through it: a reader that lags loses the oldest events and learns how
// many it missed. A transport reports its connections through it, with a bound of its own.

import { DONE, type Step, Steps } from './steps.ts';

/**
 * Distributes every event to all readers, each at its own pace. By default, at most 4,096 events
 * wait for one reader.
 */
export class EventHub<E> {
  readonly #bound: Bound<E>;
  readonly #readers = new Set<EventReader<E>>();
  #over = false;

  /**
   * @param lagged makes the event that tells a reader how many events it missed; undefined if
   *   readers are not told.
   * @param enqueue puts an event into the queue of a reader, and keeps the queue bounded. Returns
   *   the number of events that the reader misses now. Default: it loses the oldest event.
   */
  constructor(lagged: Bound<E>['lagged'], enqueue: Bound<E>['enqueue'] = loseOldest) {
    this.#bound = { lagged, enqueue };
  }

  /** Returns true if there are readers. Check it before you build frequent events. */
  get isRead(): boolean {
    return this.#readers.size > 0;
  }

  /** Delivers an event to all readers. */
  tell(event: E): void {
    for (const reader of this.#readers) reader.push(event);
  }

  /**
   * Adds a reader, which receives the events of `first` before all others; the bound applies to
   * them, too. After `end`, it receives only these.
   */
  follow(first: readonly E[]): AsyncIterator<E, undefined> & AsyncIterableIterator<E> {
    const reader = new EventReader<E>(this.#bound, this.#readers);
    for (const event of first) reader.push(event);
    if (this.#over) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /** Ends all readers; waiting events can still be read. */
  end(): void {
    this.#over = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

interface Bound<E> {
  readonly lagged: ((missed: number) => E) | undefined;
  readonly enqueue: (queue: E[], event: E) => number;
}

/**
 * One reader of events: an async iterator that waits for events and ends when it is left, or with
 * its hub.
 */
class EventReader<E> extends Steps<E> {
  readonly #queue: E[] = [];
  readonly #bound: Bound<E>;
  /** The readers of the hub, which forget this one when it is left. */
  readonly #readers: Set<EventReader<E>>;
  #missed = 0;
  #over = false;

  constructor(bound: Bound<E>, readers: Set<EventReader<E>>) {
    super();
    this.#bound = bound;
    this.#readers = readers;
  }

  push(event: E): void {
    this.#missed += this.#bound.enqueue(this.#queue, event);
    this.serve();
  }

  protected step(): Step<E> {
    const { lagged } = this.#bound;
    const missed = this.#missed;
    this.#missed = 0;
    if (missed > 0 && lagged !== undefined) return { value: lagged(missed), done: false };
    if (this.#queue.length > 0) return { value: this.#queue.shift()!, done: false };
    return this.#over ? DONE : undefined;
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.#queue.length = 0;
    this.#missed = 0;
    this.end();
    this.#readers.delete(this);
    return Promise.resolve(DONE);
  }

  /** Ends the iterator; unread events can still be read. */
  end(): void {
    this.#over = true;
    this.serve();
  }
}

function loseOldest(queue: unknown[], event: unknown): number {
  queue.push(event);
  if (queue.length <= LAG) return 0;
  queue.shift();
  return 1;
}

/** The number of events that may wait for one reader. */
const LAG = 4_096;
