// The base of all readers: an async iterator that serves its reads in order. The readers of items
// (session/streams.ts), of events (event-hub.ts) and of items that interceptors pass on
// (rpc/interceptors.ts) extend it, and their tests cover it.

/** The result of a read: an item, the end, or an error; undefined if there is none yet. */
export type Step<T> = IteratorResult<T, undefined> | { readonly error: unknown } | undefined;

/** An async iterator that serves its reads in order, one step for each. */
export abstract class Steps<T> implements AsyncIterableIterator<T> {
  readonly #waiting: {
    resolve(result: IteratorResult<T, undefined>): void;
    reject(error: unknown): void;
  }[] = [];

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.serve();
    });
  }

  /**
   * Leaves the iterator. It must also end the reads that wait: from now on, `step` returns `DONE`,
   * and the subclass calls `serve`.
   */
  abstract return(): Promise<IteratorResult<T, undefined>>;

  /** Serves the reads that wait, as far as possible. */
  protected serve(): void {
    while (this.#waiting.length > 0) {
      const result = this.step();
      if (result === undefined) return;
      const { resolve, reject } = this.#waiting.shift()!;
      if ('error' in result) reject(result.error);
      else resolve(result);
    }
  }

  /**
   * Takes the next step; called only while a read waits. If there is none yet, the subclass must
   * call `serve` once there is. The end is not remembered here: after it, or after an error, each
   * further step must be `DONE`. `step` itself must neither throw nor call `serve`, because the
   * read still waits.
   */
  protected abstract step(): Step<T>;
}

/** The result of an iterator that has ended. */
export const DONE: IteratorReturnResult<undefined> = Object.freeze({
  value: undefined,
  done: true,
});
