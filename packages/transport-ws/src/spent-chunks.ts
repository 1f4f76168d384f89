// Frees the chunks of a socket from which `ws` has copied a message.

import { freeChunk } from '@trunkline/transport-core/backend';

/**
 * Follows the chunks that a WebSocket reads and the data that it hands out. `ws` copies the payload
 * of a message that spans several chunks, and leaves the chunks to the garbage collector. For each
 * 64 KiB that arrive this is 64 KiB of garbage, as much as the messages themselves.
 *
 * A message that `ws` hands out while it reads a chunk ends in that chunk. So it has consumed all
 * earlier chunks, and they are freed, except those in which something else was handed out. A
 * message that it hands out at another time (`spreadOverTurns`) may leave chunks that were not
 * consumed yet; then the earlier chunks are left to the garbage collector.
 */
export class SpentChunks {
  /** The chunk that `ws` is reading, unless something in it was handed out without a copy. */
  #current: Uint8Array | undefined = undefined;
  #isReading = false;
  /** Earlier chunks that hold nothing but parts of the incomplete message, or what was copied. */
  #spent: Uint8Array[] = [];

  /** Call this before `ws` reads a chunk. */
  begin(chunk: Uint8Array): void {
    this.#current = chunk;
    this.#isReading = true;
  }

  /** Call this when `ws` has read the chunk. */
  end(): void {
    const chunk = this.#current;
    this.#isReading = false;
    this.#current = undefined;
    if (chunk === undefined || chunk.length <= SHORT) return;
    if (this.#spent.length === MOST) this.#spent = [];
    this.#spent.push(chunk);
  }

  /** Call this when `ws` hands out a message, before anyone uses its data. */
  message(data: Uint8Array): void {
    if (this.#isReading)
      for (const chunk of this.#spent) if (chunk.buffer !== data.buffer) freeChunk(chunk);
    if (this.#spent.length > 0) this.#spent = [];
    this.#keep(data);
  }

  /** Call this when `ws` hands out the data of a ping, which may be within a fragmented message. */
  ping(data: Uint8Array): void {
    if (!this.#isReading) this.#spent = [];
    this.#keep(data);
  }

  #keep(data: Uint8Array): void {
    if (data.buffer === this.#current?.buffer) this.#current = undefined;
  }
}

/** The size in bytes up to which a chunk is not worth freeing; see `freeChunk`. */
const SHORT = 16 * 1024;
/**
 * The maximum number of chunks that are remembered; at the maximum, all are left to the garbage
 * collector. A message of ours has fewer; a peer may send any number of empty fragments, which `ws`
 * drops.
 */
const MOST = 32;
