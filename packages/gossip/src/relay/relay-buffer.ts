// A long message on its way through this node. It is stored once, and any number of readers read
// the part that has arrived, each at its own pace.

/** The bytes of a message that have arrived so far. */
export class RelayBuffer {
  readonly bytes: Uint8Array;
  #length: number;
  #error: unknown = undefined;

  /**
   * @param bytes memory for the whole message; readers get views of it.
   * @param length number of bytes that are present already: all of them for a message of this node.
   */
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
   * Adds the next bytes. Returns false if they would make the message too long, or if the message
   * has failed.
   */
  append(chunk: Uint8Array): boolean {
    if (this.#error !== undefined || this.#length + chunk.length > this.bytes.length) return false;
    this.bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    return true;
  }

  /**
   * Marks the message as failed, because no more bytes will come: after the bytes that have
   * arrived, `read` returns undefined. Only the first error counts; it must not be undefined. A
   * message that is complete cannot fail.
   */
  fail(error: unknown): void {
    if (!this.isWhole) this.#error ??= error;
  }
}

/** The position of one receiver in a message, and how fast the receiver reads. */
export class RelayBufferReader {
  readonly #buffer: RelayBuffer;
  readonly #begunAt: number;
  #at = 0;
  #starvedFor = 0;
  #movedAt: number;
  #isStarved = false;

  constructor(buffer: RelayBuffer, now: number) {
    this.#buffer = buffer;
    this.#begunAt = this.#movedAt = now;
  }

  /** Number of bytes that were read. */
  get length(): number {
    return this.#at;
  }

  /**
   * Time at which reading began, plus the time that the reader spent waiting for bytes to arrive,
   * so that `length / (now - begunAt)` is the receiver's own rate. While `isStarved`, the current
   * wait is not included.
   */
  get begunAt(): number {
    return this.#begunAt + this.#starvedFor;
  }

  /** Time at which the receiver last asked for more, or got more after a wait. */
  get movedAt(): number {
    return this.#movedAt;
  }

  /** True while the receiver asks for more than has arrived. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** True if the whole message was read. */
  get isThrough(): boolean {
    return this.#at === this.#buffer.bytes.length;
  }

  /**
   * Reads the next chunk. Call it when the receiver asks for more; for a starved receiver, also
   * call it after each `append` and `fail` of the buffer. Returns undefined if the whole message
   * was read, if it has failed, or if its next bytes have not arrived yet.
   */
  read(now: number): Uint8Array | undefined {
    const { bytes, length, error } = this.#buffer;
    if (this.#isStarved) this.#starvedFor += now - this.#movedAt;
    this.#movedAt = now;
    this.#isStarved = this.#at === length && !this.isThrough && error === undefined;
    if (this.#at === length) return undefined;
    const from = this.#at;
    this.#at = Math.min(from + CHUNK, length);
    return bytes.subarray(from, this.#at);
  }
}

/** Maximum size of a chunk in bytes. */
const CHUNK = 32 * 1024;
