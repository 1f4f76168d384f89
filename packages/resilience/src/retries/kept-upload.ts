// An upload that several attempts of a call can read. Its source is read only once: items are kept
// until the callee of an attempt has taken some, more than 1,000 were read, or no attempt follows.

/** Wraps the upload of a call. Only one attempt reads it at a time. */
export class KeptUpload implements AsyncIterable<unknown> {
  readonly #items: AsyncIterable<unknown>;
  #source: AsyncIterator<unknown> | undefined = undefined;
  /** The items that were read; undefined once no other attempt may read them. */
  #kept: unknown[] | undefined = [];
  /** The result of the source for which an attempt waits, or its end. */
  #next: Promise<IteratorResult<unknown>> | undefined = undefined;
  /** True while no attempt reads. */
  #isLeft = true;
  /** Called when an attempt has ended that another one may follow. */
  left: () => void = NOTHING;

  constructor(items: AsyncIterable<unknown>) {
    this.#items = items;
  }

  /** True if another attempt can read all items. */
  get isComplete(): boolean {
    return this.#kept !== undefined;
  }

  /** Called when no other attempt follows. */
  settle(): void {
    this.#kept = undefined;
    if (this.#isLeft) void this.#close().catch(NOTHING);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> & { [TAKEN](): void } {
    let replayed = this.#kept ?? [];
    let at = 0;
    let isOver = false;
    this.#isLeft = false;
    return {
      next: async () => {
        if (at < replayed.length) return { value: replayed[at++], done: false };
        replayed = this.#kept ?? [];
        this.#source ??= this.#items[Symbol.asyncIterator]();
        this.#next ??= this.#source.next();
        const result = await this.#next;
        // The next attempt gets the item.
        if (isOver) return DONE;
        if (result.done === true) return result;
        this.#next = undefined;
        if (this.#kept !== undefined && this.#kept.push(result.value) > MOST)
          this.#kept = undefined;
        at = replayed.length;
        return result;
      },
      return: async () => {
        isOver = true;
        this.#isLeft = true;
        if (this.#kept === undefined) await this.#close();
        else this.left();
        return DONE;
      },
      [TAKEN]: () => {
        this.#kept = undefined;
      },
    };
  }

  /** Lets the source clean up; one that was not read has nothing to clean up. */
  async #close(): Promise<void> {
    await this.#source?.return?.();
  }
}

/** The key of the method by which core says that the callee has taken items; see ClientCall. */
const TAKEN: unique symbol = Symbol.for('trunkline.taken') as never;
/**
 * Maximum number of items that are kept. Core reads at most one window ahead of the callee, which
 * is less, unless items are tiny.
 */
const MOST = 1_000;
const NOTHING = () => {};
const DONE: IteratorResult<unknown> = Object.freeze({ value: undefined, done: true });
