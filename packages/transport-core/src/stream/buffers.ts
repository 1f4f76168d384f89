// A pool of batch buffers, shared by all connections of a transport. A buffer is returned once it
// has been written, or once its connection has ended.

import { allocate } from '../system-memory.ts';
import { FRAME_OVERHEAD } from '../wire/frame.ts';

/** A pool of buffers of one size. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];
  /** The size of a buffer in bytes. */
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  /**
   * Returns a buffer of at least `size` bytes, with arbitrary content. A buffer that is larger than
   * those of the pool has exactly `size` bytes and is not kept later. This is a property because
   * encoders receive it as a function.
   */
  readonly take = (size: number): Uint8Array =>
    size <= this.size ? (this.#free.pop() ?? allocate(this.size)) : allocate(size);

  /**
   * Returns a buffer to the pool; it must not be used or returned again after that. Ignores
   * undefined and buffers of another size.
   */
  give(buffer: Uint8Array | undefined): void {
    if (buffer !== undefined && buffer.length === this.size && this.#free.length < KEPT)
      this.#free.push(buffer);
  }
}

/**
 * Returns the size of a batch: a packet, its headers, and the small frames that are sent with it.
 */
export function batchSize(packet: number): number {
  return packet + FRAME_OVERHEAD + 1024;
}

/** Maximum number of free buffers that are kept; further ones are left to the garbage collector. */
const KEPT = 32;
