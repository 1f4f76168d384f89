// The frames of the raw limit: length and id (32 bits each, little-endian), then the payload.

import { Buffer } from 'node:buffer';

/** The part of a socket that a writer needs. */
export interface Writable {
  readonly writableLength: number;
  write(chunk: Uint8Array): unknown;
  cork(): void;
  uncork(): void;
}

/** Gathers frames into one batch, which is reused once the kernel (or TLS) has taken it. */
export class FrameWriter {
  readonly #socket: Writable;
  readonly #isTls: boolean;
  readonly #most: number;
  #batch: Batch | undefined;
  #at = 0;
  #frames = 0;

  /** @param most the largest number of frames in a batch. */
  constructor(socket: Writable, most = Number.POSITIVE_INFINITY) {
    this.#socket = socket;
    this.#most = most;
    this.#isTls = 'encrypted' in socket;
  }

  put(id: number, payload: Uint8Array): void {
    const { length } = payload;
    const large = length > COPIED;
    if (this.#at + HEADER + (large ? 0 : length) > BATCH) this.flush();
    this.#batch ??= new Batch();
    const { bytes, view } = this.#batch;
    view.setUint32(this.#at, length, true);
    view.setUint32(this.#at + 4, id, true);
    this.#at += HEADER;
    if (large) return this.#large(payload);
    bytes.set(payload, this.#at);
    this.#at += length;
    if (++this.#frames >= this.#most) this.flush();
  }

  flush(): void {
    if (this.#at === 0) return;
    const isFirst = this.#socket.writableLength === 0;
    this.#socket.write(this.#batch!.bytes.subarray(0, this.#at));
    this.#next(isFirst);
  }

  /** Writes the batch with the header, and then the payload uncopied, in one writev. */
  #large(payload: Uint8Array): void {
    const isFirst = this.#socket.writableLength === 0;
    this.#socket.cork();
    this.#socket.write(this.#batch!.bytes.subarray(0, this.#at));
    this.#socket.write(payload);
    this.#socket.uncork();
    this.#next(isFirst);
  }

  /**
   * Keeps or gives up the batch after a write. TLS has encrypted the first write by the time the
   * call returns, although it reports so one turn later; writes queued behind the first one still
   * refer to their batch.
   */
  #next(isFirst: boolean): void {
    this.#at = this.#frames = 0;
    const isFree = this.#isTls ? isFirst : this.#socket.writableLength === 0;
    if (!isFree) this.#batch = undefined;
  }
}

/** Receives each message. */
export type Received = (id: number, payload: Uint8Array) => void;

class Batch {
  readonly bytes = Buffer.allocUnsafeSlow(BATCH);
  readonly view = new DataView(this.bytes.buffer);
}

/**
 * Hands over frames as views of the chunk they arrived in; a frame that spans chunks is assembled
 * in one buffer of its size.
 */
export class FrameReader {
  readonly #frame: Received;
  readonly #place: (id: number, length: number) => Uint8Array;
  readonly #header = new Uint8Array(HEADER);
  #headerFilled = 0;
  #body: Uint8Array | undefined = undefined;
  #filled = 0;
  #id = 0;

  /** @param place returns the memory in which a payload that spans chunks is assembled. */
  constructor(frame: Received, place: (id: number, length: number) => Uint8Array = allocate) {
    this.#frame = frame;
    this.#place = place;
  }

  read(buffer: Buffer): void {
    const chunk = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    let at = 0;
    if (this.#body !== undefined) at = this.#fill(chunk, 0);
    else if (this.#headerFilled > 0) at = this.#finishHeader(chunk);
    while (at + HEADER <= chunk.length) {
      const length = readUint(chunk, at);
      const id = readUint(chunk, at + 4);
      at += HEADER;
      if (at + length <= chunk.length) {
        this.#frame(id, chunk.subarray(at, at + length));
        at += length;
      } else {
        this.#begin(id, length);
        at = this.#fill(chunk, at);
      }
    }
    if (at < chunk.length) {
      this.#header.set(chunk.subarray(at));
      this.#headerFilled = chunk.length - at;
    }
  }

  #finishHeader(chunk: Uint8Array): number {
    const missing = Math.min(HEADER - this.#headerFilled, chunk.length);
    this.#header.set(chunk.subarray(0, missing), this.#headerFilled);
    this.#headerFilled += missing;
    if (this.#headerFilled < HEADER) return chunk.length;
    this.#headerFilled = 0;
    this.#begin(readUint(this.#header, 4), readUint(this.#header, 0));
    return this.#fill(chunk, missing);
  }

  #begin(id: number, length: number): void {
    this.#id = id;
    this.#body = this.#place(id, length);
    this.#filled = 0;
  }

  #fill(chunk: Uint8Array, at: number): number {
    const body = this.#body!;
    const end = Math.min(chunk.length, at + body.length - this.#filled);
    body.set(chunk.subarray(at, end), this.#filled);
    this.#filled += end - at;
    if (this.#filled === body.length) {
      this.#body = undefined;
      this.#frame(this.#id, body);
    }
    return end;
  }
}

/** Allocates separate memory that is not zeroed. */
export function allocate(_id: number, length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

function readUint(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

const HEADER = 8;
const BATCH = 64 * 1024;
/** Payloads up to this size are copied into the batch; larger ones are written without a copy. */
export const COPIED = 16 * 1024;
