// The reading end of a stream as an async iterator. It takes items only as its user reads them, so
// a user who stops reading stops the sender.

import type { InStream } from '../session/streams.ts';

/** The call behind a stream, as its reader sees it. */
export interface ItemReaderHooks<T> {
  decode(bytes: Uint8Array): T;
  /** Called when an item has been taken. */
  taken(): void;
  /**
   * Called when the user left before the end, or when the next item could not be decoded; in that
   * case, `failure` is the reason.
   */
  left(failure: unknown): void;
  /**
   * Converts an error that broke the stream, or that `decode` threw, into the error that the user
   * gets.
   */
  failure(error: unknown): unknown;
}

/** The items of one call. They can be read only once, by a single loop. */
export class ItemReader<T> implements AsyncIterableIterator<T> {
  readonly #stream: InStream;
  #over = false;
  readonly #waiting: {
    resolve(result: IteratorResult<T, undefined>): void;
    reject(error: unknown): void;
  }[] = [];
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

  /** Leaves the stream; items that are still in flight are dropped. */
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

  #serve(): void {
    while (this.#waiting.length > 0) {
      const result = this.#step();
      if (result === undefined) return this.#stream.wait(() => this.#serve());
      const waiter = this.#waiting.shift()!;
      if ('error' in result) waiter.reject(result.error);
      else waiter.resolve(result);
    }
  }

  /** Returns the next result for a reader; undefined if there is none yet. */
  #step(): IteratorResult<T, undefined> | { error: unknown } | undefined {
    if (this.#over) return DONE;
    const { broken } = this.#stream;
    if (broken !== undefined) return this.#fail(broken.error);
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
    if (this.#stream.error !== undefined)
      return this.#fail(this.#hooks.failure(this.#stream.error));
    this.#over = true;
    return DONE;
  }

  /** Ends the iterator with an error. Like a generator, it throws once and is done afterwards. */
  #fail(error: unknown): { error: unknown } {
    this.#over = true;
    return { error };
  }
}

/** The result of an iterator that has ended. */
export const DONE: IteratorReturnResult<undefined> = Object.freeze({
  value: undefined,
  done: true,
});

// Closes streams that nobody will read, so that their sources can clean up.

/** Returns true if the value can be read with `for await`. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Calls `return` of the iterator of a value, if the value is an async iterable. Never throws.
 *
 * @param failed receives an error of the clean-up.
 */
export function closeItems(value: unknown, failed: (error: unknown) => void): void {
  if (!isAsyncIterable(value)) return;
  try {
    Promise.resolve(value[Symbol.asyncIterator]().return?.()).catch(failed);
  } catch (error) {
    failed(error);
  }
}
