// Payloads that their readers may keep. A small one would pin the large chunk it came in, so it is copied, and those behind it as well:
// a piece of the chunk costs hardly more than one payload of it (above 64 bytes memory costs 0.3 to 0.6 µs). A larger one shares the chunk.

import { EMPTY, type Frame } from '../wire/frame.ts';

export class Shelf {
  readonly #allocate: (size: number) => Uint8Array;
  /** The chunk that is read, and how much memory its views would pin: asking for it is a call of the engine's. */
  #chunk: Uint8Array = EMPTY;
  #pinned = 0;
  /** The copy of chunk[#from … #to). */
  #piece: ArrayBufferLike = EMPTY.buffer;
  #from = 0;
  #to = 0;
  /** Bytes of this chunk that were asked for: who keeps little of it copies little. */
  #kept = 0;
  /** What a payload was lent of last: of a chunk, after the one that straddled into it. */
  #lent: Uint8Array = EMPTY;

  constructor(allocate: (size: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  /** The same bytes; nobody changes them, and they pin no more than 16 KiB or eight times their size. */
  keep(frame: Frame): Uint8Array {
    const { bytes, start, end, length } = frame;
    if (bytes !== this.#chunk) this.#begin(bytes);
    const pinned = this.#pinned;
    if (pinned <= PINNED) return frame.payload;
    if (length >= pinned >> 3) return this.#lend(frame);
    if (length <= ON_HEAP) return bytes.slice(start, end);
    if (start < this.#from || end > this.#to) this.#copy(bytes, start, end);
    this.#kept += length;
    return new Uint8Array(this.#piece, start - this.#from, length);
  }

  /** A chunk was read: an idle connection holds no memory. True: no payload is a part of the chunk (of a small one, nobody asks). */
  clear(chunk: Uint8Array): boolean {
    const isDone = chunk.length > PINNED && chunk !== this.#lent;
    if (this.#chunk !== EMPTY) this.#begin(EMPTY);
    this.#lent = EMPTY;
    return isDone;
  }

  #lend(frame: Frame): Uint8Array {
    this.#lent = frame.bytes;
    return frame.payload;
  }

  #begin(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#pinned = chunk.buffer.byteLength;
    this.#piece = EMPTY.buffer;
    this.#from = this.#to = this.#kept = 0;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const more = Math.min(PINNED, this.#kept * AHEAD);
    const to = Math.min(bytes.length, Math.max(end, start + more));
    const piece = this.#allocate(to - start);
    piece.set(bytes.subarray(start, to));
    this.#piece = piece.buffer;
    this.#from = start;
    this.#to = to;
  }
}

/** Buffers up to this size may be pinned by any of their messages. */
const PINNED = 16 * 1024;
/** A piece is so many times what was kept of its chunk. */
const AHEAD = 4;
/** Node and browsers on V8 keep arrays up to this size in the heap, where they cost next to nothing. */
const ON_HEAP = 64;
