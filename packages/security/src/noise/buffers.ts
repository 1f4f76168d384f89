// Buffers for ciphertext. The connections of one layer share a pool, and so do all layers of one
// `secured()`. A buffer is in use for one write, or for as long as the underlying connection keeps
// it.

import { LENGTH, LONGEST, MOST_PLAINTEXT, RECORD_OVERHEAD } from './wire/records.ts';

export class Buffers {
  readonly #small: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  #joint: Uint8Array | undefined;

  /**
   * Returns a buffer for the records of that much plaintext, or only for the first records if not
   * all of them fit the largest buffer.
   */
  take(plaintext: number): Uint8Array {
    return plaintext + RECORD_OVERHEAD <= SMALL
      ? (this.#small.pop() ?? new Uint8Array(SMALL))
      : (this.#large.pop() ?? new Uint8Array(LARGE));
  }

  /** Takes back a whole buffer from `take`, which nobody uses anymore. */
  give(buffer: Uint8Array): void {
    const spare = buffer.length === SMALL ? this.#small : this.#large;
    if (spare.length < SPARE) spare.push(buffer);
  }

  /**
   * Memory in which a record that arrived in pieces is joined and immediately read. The next reader
   * may overwrite it.
   */
  get joint(): Uint8Array {
    this.#joint ??= new Uint8Array(LENGTH + LONGEST);
    return this.#joint;
  }
}

const SMALL = 4_096;
/**
 * The size of a large buffer in bytes: two full records. With the default `limits.packet`, a single
 * write by core fits into it: a packet of 64 KiB and its overhead.
 */
const LARGE: number = 2 * (MOST_PLAINTEXT + RECORD_OVERHEAD);
/** Maximum number of buffers of each size that are kept for later writes. */
const SPARE = 8;
