// The limit with credit: messages too large for a batch are sent in chunks of 64 KiB, and at most
// 256 KiB of chunks are in flight until the receiver acknowledges some. So a small message never
// waits behind megabytes in the system's buffers.

import type { Socket } from 'node:net';
import type { Wire } from './limit.ts';
import { allocate, COPIED, FrameReader, FrameWriter, type Received } from './limit-frames.ts';

export function credited(socket: Socket, received: Received): Wire {
  const wire = new CreditWire(new FrameWriter(socket));
  const reader = new FrameReader(
    (tag, payload) => wire.take(tag, payload, received),
    (tag, length) => wire.place(tag, length),
  );
  socket.on('data', (chunk) => {
    reader.read(chunk);
    wire.flush();
  });
  return wire;
}

/** The two upper bits of a frame's id, which tell what the frame is. */
const WHOLE = 0;
/** The start of a longer message: its length, four bytes. */
const BEGIN = 1;
const CHUNK = 2;
/** Credit: the number of bytes of chunks that the receiver has taken stands instead of the id. */
const CREDIT = 3;

/** A longer message, of which `at` bytes are sent or received. */
interface PartialMessage {
  readonly id: number;
  readonly body: Uint8Array;
  at: number;
}

class CreditWire implements Wire {
  readonly #writer: FrameWriter;
  /** Longer messages, sent one after the other. */
  readonly #waiting: PartialMessage[] = [];
  readonly #coming = new Map<number, PartialMessage>();
  #credit = WINDOW;
  #taken = 0;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  put(id: number, payload: Uint8Array): void {
    if (payload.length <= COPIED) return this.#writer.put(id, payload);
    this.#waiting.push({ id, body: payload, at: 0 });
  }

  flush(): void {
    if (this.#taken >= RETURNED) {
      this.#writer.put(tagged(CREDIT, this.#taken), NOTHING);
      this.#taken = 0;
    }
    while (this.#waiting.length > 0 && this.#chunk(this.#waiting[0]!));
    this.#writer.flush();
  }

  /** Writes one chunk; returns false if there is no credit for it. */
  #chunk(message: PartialMessage): boolean {
    const { id, body, at } = message;
    const end = Math.min(at + LARGEST, body.length);
    if (end - at > this.#credit) return false;
    this.#credit -= end - at;
    if (at === 0) this.#writer.put(tagged(BEGIN, id), lengthOf(body));
    this.#writer.put(tagged(CHUNK, id), body.subarray(at, end));
    message.at = end;
    if (end === body.length) this.#waiting.shift();
    return true;
  }

  take(tag: number, payload: Uint8Array, received: Received): void {
    const id = tag & IDS;
    const kind = tag >>> 30;
    if (kind === WHOLE) received(id, payload);
    else if (kind === CREDIT) this.#credit += id;
    else if (kind === BEGIN) {
      const length = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
      this.#coming.set(id, { id, body: allocate(id, length), at: 0 });
    } else this.#piece(id, payload, received);
  }

  #piece(id: number, payload: Uint8Array, received: Received): void {
    const coming = this.#coming.get(id)!;
    const { body, at } = coming;
    if (payload.buffer !== body.buffer) body.set(payload, at);
    this.#taken += payload.length;
    coming.at = at + payload.length;
    if (coming.at < body.length) return;
    this.#coming.delete(id);
    received(id, body);
  }

  /**
   * Returns the memory for a frame that arrives in pieces: a chunk is put together inside its
   * message.
   */
  place(tag: number, length: number): Uint8Array {
    if (tag >>> 30 !== CHUNK) return allocate(tag, length);
    const { body, at } = this.#coming.get(tag & IDS)!;
    return body.subarray(at, at + length);
  }
}

function tagged(kind: number, id: number): number {
  return ((kind << 30) | id) >>> 0;
}

function lengthOf(payload: Uint8Array): Uint8Array {
  return new Uint8Array(Uint32Array.of(payload.length).buffer);
}

const IDS = 2 ** 30 - 1;
const LARGEST = 64 * 1024;
const WINDOW = 256 * 1024;
/** The number of bytes taken after which the receiver returns credit. */
const RETURNED = 64 * 1024;
const NOTHING = new Uint8Array(0);
