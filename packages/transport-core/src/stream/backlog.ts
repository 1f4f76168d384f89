// Holds the input of a connection that has spent its work units: frames, or bytes in one piece,
// however small their chunks were.

import { EMPTY, type Frame } from '../wire/frame.ts';

/** The unread input of one connection. */
export class Backlog {
  /** The frames, for a connection that carries frames. */
  frames: readonly Frame[] | undefined = undefined;
  #bytes: Uint8Array = EMPTY;
  #size = 0;
  /** True if the buffer was allocated here and may be written to. */
  #isOwn = false;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** @param copies true if the memory of the chunk will be reused, so the chunk must be copied. */
  add(chunk: Uint8Array, copies: boolean): void {
    if (this.#size === 0 && !copies) this.#bytes = chunk;
    else {
      this.#reserve(this.#size + chunk.length);
      this.#bytes.set(chunk, this.#size);
    }
    this.#size += chunk.length;
  }

  addFrames(batch: readonly Frame[]): void {
    this.frames = this.frames === undefined ? batch : [...this.frames, ...batch];
  }

  #reserve(size: number): void {
    if (this.#isOwn && this.#bytes.length >= size) return;
    const bytes = new Uint8Array(this.#size === 0 ? size : size * 2);
    bytes.set(this.bytes);
    this.#bytes = bytes;
    this.#isOwn = true;
  }
}
