// Holds the input of a connection that must not be read now, because it has spent its work units of
// this turn or waits for its handshake slot. The input is frames, or bytes in one piece, however
// small their chunks were. The stream is paused in the meantime, so little is added. The input is
// read once and dropped.

import { EMPTY, type Frame } from '../wire/frame.ts';

/** The unread input of one connection. */
export class Backlog {
  /** The frames, for a connection that carries frames. */
  frames: readonly Frame[] | undefined = undefined;
  #bytes: Uint8Array = EMPTY;
  #size = 0;
  /** True if the buffer was allocated here and may be written to. */
  #isOwn = false;

  /** Everything that was added, valid until the next `add`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** @param copies true if the memory of the chunk will be reused, so the chunk must be copied. */
  add(chunk: Uint8Array, copies: boolean): void {
    if (this.#bytes === EMPTY && !copies) this.#bytes = chunk;
    else {
      this.#reserve(this.#size + chunk.length);
      this.#bytes.set(chunk, this.#size);
    }
    this.#size += chunk.length;
  }

  /** Keeps `batch` itself, without a copy, if it is the first one. */
  addFrames(batch: readonly Frame[]): void {
    this.frames = this.frames === undefined ? batch : [...this.frames, ...batch];
  }

  /** Enlarges the buffer to at least `size` bytes. Doubling keeps the cost of small chunks linear. */
  #reserve(size: number): void {
    if (this.#isOwn && this.#bytes.length >= size) return;
    const bytes = new Uint8Array(this.#size === 0 ? size : size * 2);
    bytes.set(this.bytes);
    this.#bytes = bytes;
    this.#isOwn = true;
  }
}
