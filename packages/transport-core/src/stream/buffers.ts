// Memory that is used again: batch buffers are shared by all connections of a transport, given back when they were written.

import { allocate } from '../system-memory.ts';
import { FRAME_OVERHEAD } from '../wire/frame.ts';

export class BufferPool {
  readonly #free: Uint8Array[] = [];
  /** Bytes of a buffer. */
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  readonly take = (size: number): Uint8Array => (size <= this.size ? (this.#free.pop() ?? allocate(this.size)) : allocate(size));

  /** The buffer is nobody's any more. */
  give(buffer: Uint8Array | undefined): void {
    if (buffer !== undefined && buffer.length === this.size && this.#free.length < KEPT) this.#free.push(buffer);
  }
}

/** The size of a batch: a packet, its headers, and the small frames that go with it. */
export function batchSize(packet: number): number {
  return packet + FRAME_OVERHEAD + 1024;
}

/** Buffers that wait for their next use; more are left to the collector. */
const KEPT = 32;
