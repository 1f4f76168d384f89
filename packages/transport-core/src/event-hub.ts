// Distributes events to any number of readers. Each reader has a queue; a reader that lags loses
// the oldest events and learns how many it missed. Gossip and peers report their events through it,
// and the recorder of admin its own.

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
    const reader = new EventReader<E>(this.#lagged, (gone) => this.#readers.delete(gone));
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

class EventReader<E> implements AsyncIterableIterator<E> {
  readonly #queue: E[] = [];
  readonly #waiting: ((result: IteratorResult<E, undefined>) => void)[] = [];
  readonly #lagged: (missed: number) => E;
  readonly #left: (reader: EventReader<E>) => void;
  #missed = 0;
  #over = false;

  constructor(lagged: (missed: number) => E, left: (reader: EventReader<E>) => void) {
    this.#lagged = lagged;
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: E): void {
    const resolve = this.#waiting.shift();
    if (resolve !== undefined) return resolve({ value: event, done: false });
    if (this.#queue.length >= LAG) {
      this.#queue.shift();
      this.#missed++;
    }
    this.#queue.push(event);
  }

  next(): Promise<IteratorResult<E, undefined>> {
    if (this.#missed > 0) {
      const value = this.#lagged(this.#missed);
      this.#missed = 0;
      return Promise.resolve({ value, done: false });
    }
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.#queue.length = 0;
    this.#missed = 0;
    this.end();
    this.#left(this);
    return Promise.resolve(DONE);
  }

  end(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }
}

/** The number of events that may wait for one reader. */
const LAG = 4_096;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
