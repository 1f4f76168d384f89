// Passes the items of a stream on, and reports its end.

/**
 * Returns an iterable with the same items. `ended` is called once: without an error when the items
 * end or the reader leaves, otherwise with the error.
 */
export function followed(
  items: AsyncIterable<unknown>,
  ended: (error: unknown) => void,
): AsyncIterableIterator<unknown> {
  return new FollowedItems(items[Symbol.asyncIterator](), ended);
}

class FollowedItems implements AsyncIterableIterator<unknown> {
  readonly #items: AsyncIterator<unknown>;
  #ended: ((error: unknown) => void) | undefined;

  constructor(items: AsyncIterator<unknown>, ended: (error: unknown) => void) {
    this.#items = items;
    this.#ended = ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    try {
      const result = await this.#items.next();
      if (result.done === true) this.#end(undefined);
      return result;
    } catch (error) {
      this.#end(error);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.#end(undefined);
    await this.#items.return?.();
    return { done: true, value: undefined };
  }

  #end(error: unknown): void {
    const ended = this.#ended;
    this.#ended = undefined;
    ended?.(error);
  }
}
