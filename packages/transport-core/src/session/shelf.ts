// Payloads that their readers may keep. A small one would pin the large chunk it came in, so it is copied, and those behind it as well:
// a piece of the chunk costs hardly more than one payload of it (above 64 bytes memory costs 0.3 to 0.6 µs). A larger one shares the chunk,
// unless the next one comes in the same memory.

import { EMPTY, type Frame } from '../wire/frame.ts';

export class Shelf {
  readonly #allocate: (size: number) => Uint8Array;
  readonly #copies: boolean;
  /** The chunk that is read. */
  #read: Uint8Array = EMPTY;
  /** Where the last payload was: in that chunk, or in a buffer for those that straddle chunks. */
  #bytes: Uint8Array = EMPTY;
  /** From so many bytes on a payload is a part of it. */
  #shared = 0;
  /** What a payload became a part of last. */
  #lent: Uint8Array = EMPTY;
  /** The copy of bytes[#from … #to). */
  #piece: ArrayBufferLike = EMPTY.buffer;
  #from = 0;
  #to = 0;
  /** Bytes of this chunk that were copied for somebody: who keeps little of it copies little, unless most of the last one was kept. */
  #kept = 0;
  #keepsMost = false;

  /** @param copies every chunk comes in the same memory: no payload is a part of one. */
  constructor(allocate: (size: number) => Uint8Array, copies = false) {
    this.#allocate = allocate;
    this.#copies = copies;
  }

  /** A chunk is about to be read. */
  open(chunk: Uint8Array): void {
    this.#read = chunk;
  }

  /** The same bytes; nobody changes them, and they pin no more than 16 KiB or eight times their size. */
  keep(frame: Frame): Uint8Array {
    const { bytes, start, end, length } = frame;
    if (bytes !== this.#bytes) this.#begin(bytes);
    if (length >= this.#shared) return this.#lend(frame);
    if (start < this.#from || end > this.#to) return this.#copy(bytes, start, end);
    this.#kept += length;
    return new Uint8Array(this.#piece, start - this.#from, length);
  }

  /** The chunk was read: an idle connection holds no memory. True: no payload is a part of it. */
  clear(): boolean {
    const isDone = this.#read !== this.#lent;
    if (this.#bytes !== EMPTY) {
      this.#keepsMost = this.#kept > this.#read.length >> 1;
      this.#begin(EMPTY);
    }
    this.#read = this.#lent = EMPTY;
    return isDone;
  }

  /** Asked once a chunk: how much memory it would pin is a call of the engine's. */
  #begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    const pinned = bytes.buffer.byteLength;
    this.#shared = this.#copies && bytes === this.#read ? Number.POSITIVE_INFINITY : pinned <= PINNED ? 0 : pinned >> 3;
    this.#piece = EMPTY.buffer;
    this.#from = this.#to = this.#kept = 0;
  }

  #lend(frame: Frame): Uint8Array {
    if (this.#lent !== frame.bytes) this.#lent = frame.bytes;
    return frame.payload;
  }

  /** Of a small chunk all that is left of it, since that may be pinned as it is. */
  #copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (start === end) return EMPTY;
    const more = bytes.length <= PINNED || this.#keepsMost ? PINNED : Math.min(PINNED, this.#kept * AHEAD);
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

/** Buffers up to this size may be pinned by any of their messages. */
const PINNED = 16 * 1024;
/** A piece is so many times what was kept of its chunk. */
const AHEAD = 4;
/** Node and browsers on V8 keep arrays up to this size in the heap, where they cost next to nothing. */
const ON_HEAP = 64;
