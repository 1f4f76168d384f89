// Cuts a stream of chunks into messages. Complete messages are views of the chunk, so most are
// never copied. The memory of a chunk is not used after its messages have been read.

import { LENGTH } from './records.ts';

export class RecordCutter {
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /**
   * The beginning of an incomplete record, including its length: the first `#have` bytes of this
   * array.
   */
  #part: Uint8Array = NOTHING;
  #have = 0;
  readonly #free: (part: Uint8Array) => void;

  /** @param free is called with the memory of a part once its record is joined. */
  constructor(free: (part: Uint8Array) => void = () => {}) {
    this.#free = free;
  }

  /** Takes the next chunk, once `next` has returned undefined for the previous one. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Returns the next message without its length, or undefined if more bytes are needed. The message
   * is a view of the chunk or of `joint`, valid until the next call or the next use of `joint`.
   * @param joint memory for the longest record and its length, used if a record has to be joined.
   */
  next(joint: Uint8Array): Uint8Array | undefined {
    if (this.#have > 0) return this.#join(joint);
    const chunk = this.#chunk;
    const at = this.#at;
    const left = chunk.length - at;
    if (left >= LENGTH) {
      const end = at + LENGTH + ((chunk[at]! << 8) | chunk[at + 1]!);
      if (end <= chunk.length) {
        this.#at = end;
        return chunk.subarray(at + LENGTH, end);
      }
    }
    if (left > 0) {
      this.#part = new Uint8Array(chunk.subarray(at));
      this.#have = left;
    }
    this.#chunk = NOTHING;
    this.#at = 0;
    return undefined;
  }

  /**
   * Copies the messages of the chunk that were not read. Call it if reading stops before `next` has
   * returned undefined and the memory of the chunk is not this connection's own.
   */
  keep(): void {
    this.feed(new Uint8Array(this.#chunk.subarray(this.#at)));
  }

  /** Discards everything that is buffered. */
  clear(): void {
    this.#chunk = NOTHING;
    this.#part = NOTHING;
    this.#have = 0;
    this.#at = 0;
  }

  #join(joint: Uint8Array): Uint8Array | undefined {
    const chunk = this.#chunk;
    const at = this.#at;
    if (at === chunk.length) return undefined;
    const low = this.#have === 1 ? chunk[at]! : this.#part[1]!;
    const whole = LENGTH + ((this.#part[0]! << 8) | low);
    const missing = whole - this.#have;
    if (chunk.length - at < missing) {
      this.#grow(chunk.subarray(at), whole);
      this.feed(NOTHING);
      return undefined;
    }
    joint.set(this.#part.subarray(0, this.#have));
    joint.set(chunk.subarray(at, at + missing), this.#have);
    this.#at += missing;
    this.#free(this.#part);
    this.#part = NOTHING;
    this.#have = 0;
    return joint.subarray(LENGTH, whole);
  }

  /**
   * Enlarges the buffer as bytes arrive, to at most twice their number or LEAST bytes, instead of
   * to the announced length.
   */
  #grow(piece: Uint8Array, whole: number): void {
    const have = this.#have + piece.length;
    if (have > this.#part.length) {
      const grown = new Uint8Array(Math.min(whole, Math.max(have * 2, LEAST)));
      grown.set(this.#part.subarray(0, this.#have));
      this.#part = grown;
    }
    this.#part.set(piece, this.#have);
    this.#have = have;
  }
}

const NOTHING = new Uint8Array(0);
/** The minimum size, in bytes, of an enlarged buffer, unless the record is shorter. */
const LEAST = 256;
