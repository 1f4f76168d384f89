// Payloads that their readers may keep. A small one would pin the large chunk it came in, so it is copied; several stand in one buffer
// (above 64 bytes an allocation for each costs 0.3 to 2 µs, a place beside others 0.05). A larger one shares the chunk.

import { EMPTY, type Frame } from '../wire/frame.ts';

export class Shelf {
  readonly #allocate: (size: number) => Uint8Array;
  #buffer: Uint8Array = EMPTY;
  #at = 0;
  /** The chunk that is read, and how much memory its views would pin: asking for it is a call of the engine's. */
  #chunk: Uint8Array = EMPTY;
  #pinned = 0;

  constructor(allocate: (size: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  /** The same bytes; nobody changes them, and they pin no more than 16 KiB or eight times their size. */
  keep(frame: Frame): Uint8Array {
    const { bytes, start, end, length } = frame;
    if (bytes !== this.#chunk) {
      this.#chunk = bytes;
      this.#pinned = bytes.buffer.byteLength;
    }
    const pinned = this.#pinned;
    if (pinned <= PINNED || length >= pinned >> 3) return frame.payload;
    if (length <= ON_HEAP || length > SIZE >> 2) return bytes.slice(start, end);
    if (this.#at + length > this.#buffer.length) {
      this.#buffer = this.#allocate(SIZE);
      this.#at = 0;
    }
    const copy = this.#buffer.subarray(this.#at, this.#at + length);
    copy.set(frame.payload);
    this.#at += length;
    return copy;
  }

  /** A chunk was read: an idle connection holds no memory. */
  clear(): void {
    this.#buffer = this.#chunk = EMPTY;
    this.#at = 0;
  }
}

/** Buffers up to this size may be pinned by any of their messages. */
const PINNED = 16 * 1024;
/** Bytes of a shelf; what is longer than a quarter gets a buffer of its own. */
const SIZE = 8 * 1024;
/** Node and browsers on V8 keep arrays up to this size in the heap, where they cost next to nothing. */
const ON_HEAP = 64;
