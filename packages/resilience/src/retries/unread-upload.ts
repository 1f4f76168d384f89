// An upload that records whether an item was read from it. Items can be read only once, so a call
// may be retried only if none was read.

/** Wraps the upload of a call. */
export class UnreadUpload implements AsyncIterable<unknown> {
  readonly #items: AsyncIterable<unknown>;
  #isRead = false;

  constructor(items: AsyncIterable<unknown>) {
    this.#items = items;
  }

  /** True if an item was requested. */
  get isRead(): boolean {
    return this.#isRead;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    let source: AsyncIterator<unknown> | undefined;
    return {
      next: () => {
        this.#isRead = true;
        source ??= this.#items[Symbol.asyncIterator]();
        return source.next();
      },
      return: async () => {
        // A source that was not read has nothing to clean up, and the next attempt may read it.
        await source?.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}
