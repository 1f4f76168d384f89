// The reading end of a stream as an async iterator: pulls items as its user does, so that a user who stops stops the sender.

import type { InStream } from '../session/in-stream.ts';

/** What is told to the call behind the stream. */
export interface ItemReaderHooks<T> {
  decode(bytes: Uint8Array): T;
  /** An item was taken: the reader moves on. */
  taken(): void;
  /** The user left before the end, or could not be given the next item: then this is why. */
  left(failure: unknown): void;
  /** The error that the user gets for one that broke the stream, or that `decode` threw. */
  failure(error: unknown): unknown;
}

/** Items of one call; read once, by one loop. */
export class ItemReader<T> implements AsyncIterableIterator<T, undefined> {
  readonly #stream: InStream;
  #broken: { error: unknown } | undefined = undefined;
  #over = false;
  readonly #waiting: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = [];
  readonly #hooks: ItemReaderHooks<T>;

  constructor(stream: InStream, hooks: ItemReaderHooks<T>) {
    this.#stream = stream;
    this.#hooks = hooks;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#serve();
    });
  }

  /** Leaving the loop: what is still under way is dropped. */
  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#over) {
      const ended = this.#stream.ended === true;
      this.#over = true;
      this.#stream.discard();
      if (!ended) this.#hooks.left(undefined);
      this.#serve();
    }
    return Promise.resolve(DONE);
  }

  /** Breaks it off: the reader gets `error` at once, whatever is still here. */
  break(error: unknown): void {
    if (this.#over || this.#broken !== undefined) return;
    this.#broken = { error };
    this.#stream.discard();
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const result = this.#step();
      if (result === undefined) return this.#stream.wait(() => this.#serve());
      const waiter = this.#waiting.shift()!;
      if ('error' in result) waiter.reject(result.error);
      else waiter.resolve(result);
    }
  }

  /** What the next reader gets; undefined: nothing yet. */
  #step(): IteratorResult<T, undefined> | { error: unknown } | undefined {
    if (this.#over) return DONE;
    if (this.#broken !== undefined) return this.#fail(this.#broken.error);
    const bytes = this.#stream.take();
    if (bytes !== undefined) {
      try {
        const value = this.#hooks.decode(bytes);
        this.#hooks.taken();
        return { value, done: false };
      } catch (error) {
        const failure = this.#hooks.failure(error);
        this.#hooks.left(failure);
        this.#stream.discard();
        return this.#fail(failure);
      }
    }
    if (!this.#stream.ended) return undefined;
    if (this.#stream.error !== undefined) return this.#fail(this.#hooks.failure(this.#stream.error));
    this.#over = true;
    return DONE;
  }

  /** An error is told once; after it the iterator is done, as a generator would be. */
  #fail(error: unknown): { error: unknown } {
    this.#over = true;
    return { error };
  }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
