// The iterator with which one call reads a stream at the server. The iterator takes an item only
// when the call asks for one, so the handler waits for a client that does not read.

/** The stream behind a reader. */
export interface ReaderSource<Item> {
  /** Returns the item at an offset; undefined if it was not written yet. */
  item(offset: number): { readonly item: Item } | undefined;
  /** Returns the end of the stream if there is no item at `offset` or later. */
  end(offset: number): { readonly error?: unknown } | undefined;
  /** Returns an error if the item at `offset` was dropped. */
  lost(offset: number): Error | undefined;
  /**
   * Called when the call asks for the next item, which means that all items before `offset` were
   * sent.
   */
  taken(offset: number): void;
  /** Called once, when the call stops reading, with the error that the reader got. */
  left(end: { error?: unknown }): void;
}

type Result<Item> = IteratorResult<Item, undefined>;

/** The items of a stream from one offset on, for one call. */
export class StreamReader<Item> implements AsyncIterableIterator<Item> {
  /** True if the reader found that an item was dropped before it was sent. */
  hasGap = false;
  readonly #source: ReaderSource<Item>;
  #offset: number;
  #waiting: { resolve(result: Result<Item>): void; reject(error: unknown): void } | undefined;
  #over = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(offset: number, source: ReaderSource<Item>) {
    this.#offset = offset;
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Returns the next item. It must be called again only after the previous promise has settled;
   * otherwise the previous promise never settles. Core reads items one at a time.
   */
  next(): Promise<Result<Item>> {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#over) return Promise.resolve(DONE);
    this.#source.taken(this.#offset);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.wake();
    });
  }

  /** Called when the call has ended. */
  return(): Promise<Result<Item>> {
    this.#leave({});
    this.#waiting?.resolve(DONE);
    this.#waiting = undefined;
    return Promise.resolve(DONE);
  }

  /** Called when there may be an item, or the stream has ended. */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#over) return;
    const lost = this.#source.lost(this.#offset);
    if (lost !== undefined) {
      this.hasGap = true;
      return this.fail(lost);
    }
    const kept = this.#source.item(this.#offset);
    if (kept !== undefined) {
      this.#waiting = undefined;
      this.#offset++;
      return waiting.resolve({ value: kept.item, done: false });
    }
    const end = this.#source.end(this.#offset);
    if (end === undefined) return;
    if ('error' in end) return this.fail(end.error);
    this.#waiting = undefined;
    this.#leave({});
    waiting.resolve(DONE);
  }

  /** Ends the call with an error. */
  fail(error: unknown): void {
    if (this.#over) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#failure = { error };
    this.#leave({ error });
    waiting?.reject(error);
  }

  #leave(end: { error?: unknown }): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.left(end);
  }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
