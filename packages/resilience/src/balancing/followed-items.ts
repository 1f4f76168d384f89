// Passes the items of a stream on, and reports its end.

/**
 * Returns an iterable with the same items. `ended` is called once: without an error when the items
 * end or the reader leaves, otherwise with the error. `begun` is called when the first item arrives.
 */
export function followed(
  items: AsyncIterable<unknown>,
  begun: () => void,
  ended: (error: unknown) => void,
): AsyncIterableIterator<unknown> {
  return new FollowedItems(items[Symbol.asyncIterator](), begun, ended);
}

class FollowedItems implements AsyncIterableIterator<unknown> {
  readonly #items: AsyncIterator<unknown>;
  #begun: (() => void) | undefined;
  #ended: ((error: unknown) => void) | undefined;

  constructor(items: AsyncIterator<unknown>, begun: () => void, ended: (error: unknown) => void) {
    this.#items = items;
    this.#begun = begun;
    this.#ended = ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    try {
      const result = await this.#items.next();
      if (result.done === true) this.#end(undefined);
      this.#begun?.();
      this.#begun = undefined;
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
