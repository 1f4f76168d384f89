// Events for any number of readers. Each has a queue; one that lags misses the oldest, and is told how many.

import type { PeerEvent } from '../types.ts';

export class EventHub<S> {
  readonly #readers = new Set<Reader<S>>();
  #over = false;

  tell(event: PeerEvent<S>): void {
    for (const reader of this.#readers) reader.push(event);
  }

  /** A new reader, that begins with `first`. */
  follow(first: readonly PeerEvent<S>[]): AsyncIterableIterator<PeerEvent<S>, undefined> {
    const reader = new Reader<S>((gone) => this.#readers.delete(gone));
    for (const event of first) reader.push(event);
    if (this.#over) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /** Nothing more happens; what was not read can still be. */
  end(): void {
    this.#over = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

class Reader<S> implements AsyncIterableIterator<PeerEvent<S>, undefined> {
  readonly #queue: PeerEvent<S>[] = [];
  readonly #waiting: ((result: IteratorResult<PeerEvent<S>, undefined>) => void)[] = [];
  readonly #left: (reader: Reader<S>) => void;
  #missed = 0;
  #over = false;

  constructor(left: (reader: Reader<S>) => void) {
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: PeerEvent<S>): void {
    const reader = this.#waiting.shift();
    if (reader !== undefined) return reader({ value: event, done: false });
    if (this.#queue.length >= LAG) {
      this.#queue.shift();
      this.#missed++;
    }
    this.#queue.push(event);
  }

  next(): Promise<IteratorResult<PeerEvent<S>, undefined>> {
    if (this.#missed > 0) {
      const value: PeerEvent<S> = { type: 'lagged', missed: this.#missed };
      this.#missed = 0;
      return Promise.resolve({ value, done: false });
    }
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<PeerEvent<S>, undefined>> {
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

/** Events that wait for one reader. */
const LAG = 4_096;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
