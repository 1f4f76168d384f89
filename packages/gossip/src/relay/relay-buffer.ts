// A long message on its way through this node. It is kept once, and any number of readers read as
// much of it as has arrived, each at its own pace.

/** The bytes of a message that have arrived so far. */
export class RelayBuffer {
  readonly bytes: Uint8Array;
  #length: number;
  #error: unknown = undefined;
  readonly #starved = new Set<() => void>();

  /** @param length bytes that are there already. */
  constructor(bytes: Uint8Array, length = 0) {
    this.bytes = bytes;
    this.#length = length;
  }

  /** Number of bytes that have arrived. */
  get length(): number {
    return this.#length;
  }

  get isWhole(): boolean {
    return this.#length === this.bytes.length;
  }

  /** The reason why no more bytes will come; undefined if there is none. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * Adds the next bytes. Returns false if they are more than the message should have, or if it has
   * failed.
   */
  append(chunk: Uint8Array): boolean {
    if (this.#error !== undefined || this.#length + chunk.length > this.bytes.length) return false;
    this.bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    this.#feed();
    return true;
  }

  /** No more bytes will come. Readers get this error after the bytes that have arrived. */
  fail(error: unknown): void {
    if (this.isWhole || this.#error !== undefined) return;
    this.#error = error;
    this.#feed();
  }

  read(now: () => number): RelayBufferReader {
    return new RelayBufferReader(this, now);
  }

  /** Calls the function once, when more bytes arrive or no more will come. */
  wait(fed: () => void): void {
    this.#starved.add(fed);
  }

  #feed(): void {
    const starved = [...this.#starved];
    this.#starved.clear();
    for (const fed of starved) fed();
  }
}

/** Reads a message in chunks, as they are asked for and as they arrive. It serves one consumer. */
export class RelayBufferReader implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #buffer: RelayBuffer;
  readonly #now: () => number;
  #at = 0;
  readonly #begunAt: number;
  #starvedFor = 0;
  #movedAt: number;
  #isStarved = false;
  #isOver = false;

  constructor(buffer: RelayBuffer, now: () => number) {
    this.#buffer = buffer;
    this.#now = now;
    this.#begunAt = this.#movedAt = now();
  }

  /** Bytes that were read. */
  get length(): number {
    return this.#at;
  }

  /** When reading began, plus the time that the reader spent waiting for bytes to arrive. */
  get begunAt(): number {
    return this.#begunAt + this.#starvedFor;
  }

  /** When the consumer last asked for more, or got more after it had to wait. */
  get movedAt(): number {
    return this.#movedAt;
  }

  /** True while the consumer asks for more than has arrived. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** True if the whole message was read. */
  get isThrough(): boolean {
    return this.#at === this.#buffer.bytes.length;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const buffer = this.#buffer;
    this.#movedAt = this.#now();
    while (!this.#isOver && !this.isThrough) {
      if (this.#at < buffer.length) {
        const from = this.#at;
        this.#at = Math.min(from + CHUNK, buffer.length);
        return { done: false, value: buffer.bytes.subarray(from, this.#at) };
      }
      if (buffer.error !== undefined) throw buffer.error;
      this.#isStarved = true;
      await new Promise<void>((resolve) => buffer.wait(resolve));
      this.#isStarved = false;
      this.#starvedFor += this.#now() - this.#movedAt;
      this.#movedAt = this.#now();
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#isOver = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/** Bytes of the longest chunk. */
const CHUNK = 32 * 1024;
