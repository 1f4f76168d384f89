// The items of a download or duplex call that can be repeated until the first item arrives, because
// `send` resolves to them before the callee can refuse the call.

/** The call, as its items see it. */
export interface RepeatedItemsHost {
  /**
   * Makes other attempts after an error. Resolves to the items of one; rejects with the last error.
   */
  again(error: unknown): Promise<unknown>;
  /**
   * Called once, when no other attempt follows: the first result has arrived, the reader has left,
   * or the items have failed for good (`isGood` is false).
   */
  begun(isGood: boolean): void;
  /** Called before `begun` if the reader leaves before the first result. */
  left(): void;
}

/** Passes the items of the last attempt on. */
export class RepeatedItems implements AsyncIterableIterator<unknown> {
  readonly #host: RepeatedItemsHost;
  #items: AsyncIterator<unknown>;
  #first: Promise<IteratorResult<unknown>> | undefined = undefined;
  #isFirstGiven = false;
  #isBegun = false;
  #isLeft = false;

  constructor(items: unknown, host: RepeatedItemsHost) {
    this.#items = iteratorOf(items);
    this.#host = host;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#isFirstGiven && this.#isBegun) return this.#items.next();
    this.begin();
    if (this.#isFirstGiven) {
      const next = () => this.#items.next();
      return this.#first!.then(next, next);
    }
    this.#isFirstGiven = true;
    return this.#first!;
  }

  /** Reads the first item, even if nobody has asked for it, because the attempt has ended. */
  begin(): void {
    if (this.#first !== undefined || this.#isLeft) return;
    this.#first = this.#read();
    this.#first.catch(() => {});
  }

  async #read(): Promise<IteratorResult<unknown>> {
    for (;;) {
      let failure: unknown;
      try {
        const result = await this.#items.next();
        this.#begins(true);
        return result;
      } catch (error) {
        failure = error;
      }
      try {
        if (this.#isLeft) throw failure;
        this.#items = iteratorOf(await this.#host.again(failure));
      } catch (error) {
        this.#begins(false);
        throw error;
      }
      if (this.#isLeft) await this.#items.return?.();
    }
  }

  #begins(isGood: boolean): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#host.begun(isGood);
  }

  async return(): Promise<IteratorResult<unknown>> {
    if (!this.#isBegun) {
      this.#isLeft = true;
      this.#host.left();
      this.#begins(true);
    }
    await this.#items.return?.();
    return { done: true, value: undefined };
  }
}

function iteratorOf(items: unknown): AsyncIterator<unknown> {
  return (items as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}
