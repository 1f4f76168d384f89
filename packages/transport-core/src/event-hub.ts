// Distributes events to any number of readers. Each reader has a queue; a reader that lags loses
// the oldest events and learns how many it missed. Gossip and peers report their events through it,
// and the recorder of admin its own. ConnectionEvents in transport/ extends EventReader with a
// bound of its own.

import { DONE, type Step, Steps } from './steps.ts';

/**
 * Distributes every event to all readers, each at its own pace. At most 4,096 events wait for one
 * reader.
 */
export class EventHub<E> {
  readonly #lagged: (missed: number) => E;
  readonly #readers = new Set<EventReader<E>>();
  #over = false;

  /** @param lagged makes the event that tells a reader how many events it missed. */
  constructor(lagged: (missed: number) => E) {
    this.#lagged = lagged;
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
   * Adds a reader, which receives the events of `first` before all others. After `end`, it receives
   * only these.
   */
  follow(first: readonly E[]): AsyncIterator<E, undefined> & AsyncIterableIterator<E> {
    const reader = new LaggingReader<E>(this.#lagged, (gone) => this.#readers.delete(gone));
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

/**
 * One reader of events: an async iterator that waits for events and ends when it is left, or with
 * its source. Subclasses bound its queue.
 */
export abstract class EventReader<E> extends Steps<E> {
  protected readonly queue: E[] = [];
  readonly #left: (reader: EventReader<E>) => void;
  #over = false;

  /** @param left called when the reader leaves; each further `return` calls it again. */
  constructor(left: (reader: EventReader<E>) => void) {
    super();
    this.#left = left;
  }

  /** Adds an event. The source must not call it after `end`. */
  push(event: E): void {
    this.enqueue(event);
    this.serve();
  }

  /** Puts an event into the queue, and keeps the queue bounded. */
  protected abstract enqueue(event: E): void;

  /** Removes and returns the next event of a queue that is not empty. */
  protected dequeue(): E {
    return this.queue.shift()!;
  }

  protected step(): Step<E> {
    if (this.queue.length > 0) return { value: this.dequeue(), done: false };
    return this.#over ? DONE : undefined;
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.queue.length = 0;
    this.end();
    this.#left(this);
    return Promise.resolve(DONE);
  }

  /** Ends the iterator; unread events can still be read. */
  end(): void {
    this.#over = true;
    this.serve();
  }
}

/** A reader that loses the oldest events if it lags. */
class LaggingReader<E> extends EventReader<E> {
  readonly #lagged: (missed: number) => E;
  #missed = 0;

  constructor(lagged: (missed: number) => E, left: (reader: EventReader<E>) => void) {
    super(left);
    this.#lagged = lagged;
  }

  protected override enqueue(event: E): void {
    if (this.queue.length >= LAG) {
      this.queue.shift();
      this.#missed++;
    }
    this.queue.push(event);
  }

  protected override dequeue(): E {
    if (this.#missed === 0) return super.dequeue();
    const missed = this.#missed;
    this.#missed = 0;
    return this.#lagged(missed);
  }
}

/** The number of events that may wait for one reader. */
const LAG = 4_096;
