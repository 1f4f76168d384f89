// Memory that ciphertext passes through: lent for a write, or for as long as the connection beneath keeps it. One pool a layer.

import { LENGTH, LONGEST, MOST_PLAINTEXT, RECORD_OVERHEAD } from './wire/records.ts';

export class Buffers {
  readonly #small: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  #joint: Uint8Array | undefined;

  /** Memory for the records of so much plaintext, or for the first of them where it is more than a batch has. */
  take(plaintext: number): Uint8Array {
    return plaintext + RECORD_OVERHEAD <= SMALL ? (this.#small.pop() ?? new Uint8Array(SMALL)) : (this.#large.pop() ?? new Uint8Array(LARGE));
  }

  give(buffer: Uint8Array): void {
    const spare = buffer.length === SMALL ? this.#small : this.#large;
    if (spare.length < SPARE) spare.push(buffer);
  }

  /** Where a record that came in pieces is joined to be read at once: whoever reads next may overwrite it. */
  get joint(): Uint8Array {
    this.#joint ??= new Uint8Array(LENGTH + LONGEST);
    return this.#joint;
  }
}

const SMALL = 4_096;
/** Two whole records: what a connection of core writes at once, a packet of 64 KiB and what goes with it, fits in. */
const LARGE: number = 2 * (MOST_PLAINTEXT + RECORD_OVERHEAD);
/** Buffers of each size that wait for the next write. */
const SPARE = 8;
