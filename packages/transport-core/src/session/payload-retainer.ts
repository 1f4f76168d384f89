// Makes payloads safe for their readers to keep. A small payload would pin the large chunk that it
// came in, so it is copied together with the payloads behind it. Copying a piece of the chunk costs
// hardly more than copying one payload, because an allocation above 64 bytes takes 0.3 to 0.6 µs. A
// larger payload shares the chunk's memory, unless the next chunk is read into the same memory.

import { EMPTY, type Frame } from '../wire/frame.ts';

/** Copies payloads if a view would keep too much memory alive. */
export class PayloadRetainer {
  readonly #allocate: (size: number) => Uint8Array;
  readonly #copies: boolean;
  /** The chunk that is being read. */
  #read: Uint8Array = EMPTY;
  /** The memory of the last payload: that chunk, or a buffer for frames that straddle chunks. */
  #bytes: Uint8Array = EMPTY;
  /** Payloads of at least this many bytes share the memory instead of being copied. */
  #shared = 0;
  /** The memory that was last shared with a payload. */
  #lent: Uint8Array = EMPTY;
  /** A piece of memory with a copy of `bytes[#from … #to)`. */
  #piece: ArrayBufferLike = EMPTY.buffer;
  #from = 0;
  #to = 0;
  /**
   * The number of bytes of this chunk that readers kept. If readers keep few bytes, few are copied
   * ahead, unless most of the last chunk was kept.
   */
  #kept = 0;
  #keepsMost = false;

  /**
   * @param copies true if all chunks arrive in the same memory, so that payloads never share it.
   */
  constructor(allocate: (size: number) => Uint8Array, copies = false) {
    this.#allocate = allocate;
    this.#copies = copies;
  }

  /** Called before a chunk is read. */
  open(chunk: Uint8Array): void {
    this.#read = chunk;
  }

  /**
   * Returns the same bytes in memory that is not overwritten and that pins no more than 16 KiB or
   * eight times the size of the payload.
   */
  keep(frame: Frame): Uint8Array {
    const { bytes, start, end, length } = frame;
    if (bytes !== this.#bytes) this.#begin(bytes);
    if (length >= this.#shared) return this.#lend(frame);
    if (start < this.#from || end > this.#to) return this.#copy(bytes, start, end);
    this.#kept += length;
    return new Uint8Array(this.#piece, start - this.#from, length);
  }

  /**
   * Called after a chunk was read; drops all references, so an idle connection holds no memory.
   * Returns true if no payload shares the chunk.
   */
  clear(): boolean {
    const isDone = this.#read !== this.#lent;
    if (this.#bytes !== EMPTY) {
      this.#keepsMost = this.#kept > this.#read.length >> 1;
      this.#begin(EMPTY);
    }
    this.#read = this.#lent = EMPTY;
    return isDone;
  }

  /**
   * Called once for each chunk, because finding out how much memory the chunk would pin takes a
   * call into the engine.
   */
  #begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    const pinned = bytes.buffer.byteLength;
    this.#shared =
      this.#copies && bytes === this.#read
        ? Number.POSITIVE_INFINITY
        : pinned <= PINNED
          ? 0
          : pinned >> 3;
    this.#piece = EMPTY.buffer;
    this.#from = this.#to = this.#kept = 0;
  }

  #lend(frame: Frame): Uint8Array {
    if (this.#lent !== frame.bytes) this.#lent = frame.bytes;
    return frame.payload;
  }

  /**
   * Copies a payload and some of the bytes after it. If the chunk is small, the copy includes all
   * remaining bytes, because one message may pin that much memory.
   */
  #copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (start === end) return EMPTY;
    const more =
      bytes.length <= PINNED || this.#keepsMost ? PINNED : Math.min(PINNED, this.#kept * AHEAD);
    const to = Math.min(bytes.length, Math.max(end, start + more));
    this.#kept += end - start;
    if (to - start <= ON_HEAP) return bytes.slice(start, end);
    const piece = this.#allocate(to - start);
    piece.set(bytes.subarray(start, to));
    this.#piece = piece.buffer;
    this.#from = start;
    this.#to = to;
    return end === to ? piece : new Uint8Array(piece.buffer, 0, end - start);
  }
}

/** Maximum size, in bytes, of a buffer that any of its messages may pin. */
const PINNED = 16 * 1024;
/**
 * The size of a copied piece, as a multiple of the bytes that readers have kept of the chunk so
 * far.
 */
const AHEAD = 4;
/**
 * Maximum size, in bytes, of an array that Node and browsers with V8 keep in the JavaScript heap,
 * where it costs next to nothing.
 */
const ON_HEAP = 64;
