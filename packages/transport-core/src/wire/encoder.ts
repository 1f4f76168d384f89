// Encodes frames into one batch buffer, which is written as it is. Lengths are not computed in
// advance, and only payloads are copied; large payloads are not copied either if the connection
// takes a batch in parts.

import {
  EMPTY,
  type EncodedMetadata,
  FRAME_OVERHEAD,
  type FrameWriter,
  Kind,
  PREAMBLE,
} from './frame.ts';

/**
 * The default size of a batch: the largest frame for packets of 64 KiB takes 64 + 16 KiB, and the
 * rest is for small frames.
 */
export const BATCH_CAPACITY = 64 * 1024 + FRAME_OVERHEAD + 1024;

/**
 * Writes frames into a batch. `allocate` provides the buffer at the first byte; it is reused for
 * further batches until `release`. Call `fits` before each frame: a frame that does not fit makes
 * the buffer grow beyond `capacity`.
 */
export class FrameEncoder implements FrameWriter {
  readonly #allocate: (size: number) => Uint8Array;
  readonly #capacity: number;
  readonly #gathers: boolean;
  #buffer: Uint8Array = EMPTY;
  #view: DataView = NOWHERE;
  #at = 0;
  /** The position of the open frame's length, and the number of bytes reserved for it. */
  #begin = 0;
  #width = 1;
  #count = 0;
  /**
   * The parts of the batch before position `#from`: pieces of the buffer, and payloads of
   * `#attached` bytes in all.
   */
  #parts: Uint8Array[] = [];
  #from = 0;
  #attached = 0;

  /**
   * @param capacity bytes of a batch; the largest frame (packet + 16 KiB) must fit. Default 81 KiB.
   * @param gathers makes large payloads parts of the batch instead of copying them: a copy of 64
   * KiB takes as long as all other work to send a packet.
   */
  constructor(
    allocate: (size: number) => Uint8Array,
    capacity: number = BATCH_CAPACITY,
    gathers = false,
  ) {
    this.#allocate = allocate;
    this.#capacity = capacity;
    this.#gathers = gathers;
  }

  get size(): number {
    return this.#at + this.#attached;
  }

  get count(): number {
    return this.#count;
  }

  fits(bytes: number): boolean {
    return this.#at + bytes + HEADER <= this.#capacity && this.#attached < GATHERED;
  }

  /**
   * Returns the written bytes (those after the parts, if there are any) as a view; the encoder
   * keeps the buffer.
   */
  take(): Uint8Array {
    return this.#buffer.subarray(this.#from, this.#at);
  }

  /** Returns the written bytes in parts; undefined if all of them are in the buffer. */
  takeParts(): Uint8Array[] | undefined {
    if (this.#attached === 0) return undefined;
    if (this.#at > this.#from) this.#parts.push(this.take());
    return this.#parts;
  }

  /** Starts the next batch in the same buffer. */
  clear(): void {
    this.#at = this.#count = this.#from = 0;
    if (this.#attached > 0) this.#parts = [];
    this.#attached = 0;
  }

  /**
   * Gives up the buffer, because it goes back to a pool or a layer keeps it; the next frame
   * allocates a new one. Returns undefined if there is none.
   */
  release(): Uint8Array | undefined {
    const buffer = this.#buffer;
    this.#buffer = EMPTY;
    this.#view = NOWHERE;
    this.clear();
    return buffer === EMPTY ? undefined : buffer;
  }

  /** Writes the four bytes that precede the first frame. */
  preamble(): void {
    if (this.#at + PREAMBLE.length > this.#buffer.length) this.#grow(PREAMBLE.length);
    this.#buffer.set(PREAMBLE, this.#at);
    this.#at += PREAMBLE.length;
  }

  hello(kind: number, hello: Uint8Array): void {
    const at = this.#open(kind, hello.length);
    this.#close(this.#bytes(at, HELLO, hello));
  }

  signal(kind: number, id: number): void {
    const at = this.#open(kind, 0);
    this.#close(id === 0 ? at : this.#id(at, id));
  }

  goAway(code: number, reason: number, text: string): void {
    const encoded = textEncoder.encode(text);
    let at = this.#open(Kind.GO_AWAY, encoded.length);
    at = writeUint(this.#buffer, at, CODE, code);
    at = this.#bytes(at, TEXT, encoded);
    this.#close(writeUint(this.#buffer, at, REASON, reason));
  }

  credit(account: number, credit: number, id: number, channel: number): void {
    let at = this.#open(Kind.CREDIT, 0);
    if (id !== 0) at = this.#id(at, id);
    at = writeUint(this.#buffer, at, CHANNEL, channel);
    at = writeUint(this.#buffer, at, CREDIT, credit);
    this.#close(writeUint(this.#buffer, at, ACCOUNT, account));
  }

  /**
   * Straight-line code that stores several bytes at once: it needs two thirds of the instructions
   * of byte-by-byte code, and a function for each field would need twice the code
   * (docs/performance.md). A store may overlap the next field, which then overwrites it.
   */
  short(
    kind: number,
    id: number,
    channel: number,
    method: number,
    timeout: number,
    payload: Uint8Array,
  ): void {
    const { length } = payload;
    if (
      length > SHORT ||
      channel > 0x7f ||
      method > 0x7f ||
      timeout > 0x3fff ||
      (timeout !== 0 && timeout < 0x80) ||
      (channel === 0) !== (method === 0)
    )
      return this.message(kind, id, channel, method, 0, timeout, undefined, 0, payload, 0, length);
    let at = this.#at;
    if (at + length + HEADER > this.#buffer.length) this.#grow(length + HEADER);
    const view = this.#view;
    const size =
      length +
      (length === 0 ? 2 : length > 0x7f ? 5 : 4) +
      (id === 0 ? 0 : 5) +
      (channel === 0 ? 0 : 4) +
      (timeout === 0 ? 0 : 3);
    if (size > 0x7f) view.setUint8(at++, size | 0x80);
    view.setUint32(at, (size > 0x7f ? size >>> 7 : size) | KIND_ID | (kind << 16), true);
    at += 3;
    if (id !== 0) {
      view.setUint32(at + 1, id, true);
      at += 5;
    }
    if (channel !== 0) {
      view.setUint32(at, CHANNEL_METHOD | (channel << 8) | (method << 24), true);
      at += 4;
    }
    if (timeout !== 0) {
      view.setUint32(at, LONG_TIMEOUT | ((timeout & 0x7f) << 8) | ((timeout >>> 7) << 16), true);
      at += 3;
    }
    if (length !== 0) {
      view.setUint16(at, PAYLOAD | (length << 8) | (length > 0x7f ? 0x8000 : 0), true);
      at += 2;
      if (length > 0x7f) view.setUint8(at++, length >>> 7);
      if (length > LOOP) set.call(this.#buffer, payload, at);
      else for (let from = 0; from < length; from++) view.setUint8(at + from, payload[from]!);
      at += length;
    }
    this.#at = at;
    this.#count++;
  }

  message(
    kind: number,
    id: number,
    channel: number,
    method: number,
    flags: number,
    timeout: number,
    metadata: EncodedMetadata | undefined,
    size: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    let at = this.#open(kind, end - start + (metadata === undefined ? 0 : metadata.bytes.length));
    if (id !== 0) at = this.#id(at, id);
    const buffer = this.#buffer;
    at = writeUint(buffer, at, CHANNEL, channel);
    at = writeUint(buffer, at, METHOD, method);
    at = writeUint(buffer, at, FLAGS, flags);
    at = writeUint(buffer, at, TIMEOUT, timeout);
    at = writeUint(buffer, at, SIZE, size);
    if (metadata !== undefined) at = this.#raw(at, metadata.bytes);
    if (end - start >= LARGE && this.#gathers) this.#attach(at, payload.subarray(start, end));
    else this.#close(this.#payload(at, payload, start, end));
  }

  error(
    id: number,
    code: number,
    reason: number,
    text: string,
    flags: number,
    metadata: EncodedMetadata | undefined,
  ): void {
    const encoded = textEncoder.encode(text);
    let at = this.#open(
      Kind.ERROR,
      encoded.length + (metadata === undefined ? 0 : metadata.bytes.length),
    );
    at = this.#id(at, id);
    at = writeUint(this.#buffer, at, FLAGS, flags);
    at = writeUint(this.#buffer, at, CODE, code);
    at = this.#bytes(at, TEXT, encoded);
    if (metadata !== undefined) at = this.#raw(at, metadata.bytes);
    this.#close(writeUint(this.#buffer, at, REASON, reason));
  }

  /** Starts a frame: makes room, reserves bytes for the length, and writes the kind. */
  #open(kind: number, bytes: number): number {
    const room = bytes + HEADER;
    if (this.#at + room > this.#buffer.length) this.#grow(room);
    const begin = this.#at;
    const width = room < 0x80 ? 1 : room < 0x4000 ? 2 : room < 0x20_0000 ? 3 : 4;
    this.#begin = begin;
    this.#width = width;
    const at = begin + width;
    const buffer = this.#buffer;
    buffer[at] = KIND;
    buffer[at + 1] = kind;
    return at + 2;
  }

  /**
   * Ends a frame: writes its length, as an over-long varint if more bytes were reserved than it
   * needs.
   */
  #close(at: number, attached = 0): void {
    const buffer = this.#buffer;
    const width = this.#width;
    let place = this.#begin;
    let length = at - place - width + attached;
    for (let left = width; left > 1; left--) {
      buffer[place++] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    buffer[place] = length;
    this.#at = at;
    this.#count++;
  }

  #grow(room: number): void {
    const needed = this.#at + room;
    const buffer = this.#allocate(
      Math.max(this.#capacity, needed > this.#capacity ? needed * 2 : 0),
    );
    if (this.#at > 0) buffer.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
  }

  #id(at: number, id: number): number {
    this.#buffer[at] = ID;
    this.#view.setUint32(at + 1, id, true);
    return at + 5;
  }

  #bytes(at: number, tag: number, bytes: Uint8Array): number {
    if (bytes.length === 0) return at;
    this.#buffer[at] = tag;
    return this.#raw(writeVarint(this.#buffer, at + 1, bytes.length), bytes);
  }

  #raw(at: number, bytes: Uint8Array): number {
    this.#buffer.set(bytes, at);
    return at + bytes.length;
  }

  /** Adds the payload to the batch as a part of its own. */
  #attach(at: number, payload: Uint8Array): void {
    const { length } = payload;
    this.#buffer[at] = PAYLOAD;
    this.#close(writeVarint(this.#buffer, at + 1, length), length);
    this.#parts.push(this.take(), payload);
    this.#from = this.#at;
    this.#attached += length;
  }

  #payload(at: number, payload: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return at;
    const buffer = this.#buffer;
    buffer[at++] = PAYLOAD;
    if (length < 0x80) buffer[at++] = length;
    else at = writeVarint(buffer, at, length);
    if (length <= LOOP)
      for (let from = start, to = at; from < end; ) buffer[to++] = payload[from++]!;
    else set.call(buffer, length === payload.length ? payload : payload.subarray(start, end), at);
    return at + length;
  }
}

/** Returns the DataView of a buffer. It is created once, because a buffer serves many batches. */
function viewOf(buffer: Uint8Array): DataView {
  let view = views.get(buffer);
  if (view === undefined) {
    view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    views.set(buffer, view);
  }
  return view;
}

/** Writes an integer field, unless the value is 0. */
function writeUint(buffer: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  buffer[at] = tag;
  if (value < 0x80) {
    buffer[at + 1] = value;
    return at + 2;
  }
  if (value < 0x4000) {
    buffer[at + 1] = (value & 0x7f) | 0x80;
    buffer[at + 2] = value >>> 7;
    return at + 3;
  }
  return writeVarint(buffer, at + 1, value);
}

function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    buffer[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  buffer[at] = value;
  return at + 1;
}

/**
 * An upper bound of a frame's size without payload, metadata, text and hello: its length 4, kind 2,
 * id 5, five integers 30, and the payload's tag and length 5.
 */
const HEADER = 48;

/**
 * The largest payload of a short frame: with its header, it takes less than 2^14 bytes, so lengths
 * take at most two bytes.
 */
const SHORT = 0x4000 - HEADER - 1;

/**
 * The size from which a payload becomes a part of its own, and the size of parts that fills a
 * batch.
 */
const LARGE = 16 * 1024;
const GATHERED = 256 * 1024;

/** Looked up once, because V8 looks up a typed array's methods at each use. */
const { set } = Uint8Array.prototype;

/** Up to this length, a loop copies faster than `set`. */
const LOOP = 8;

/** Field number and wire type in one byte, as frame.proto numbers them. */
const KIND = 0x08;
const ID = 0x15;
const CHANNEL = 0x18;
const METHOD = 0x20;
const FLAGS = 0x28;
const TIMEOUT = 0x30;
const SIZE = 0x38;
const CREDIT = 0x40;
const CODE = 0x48;
const TEXT = 0x52;
const REASON = 0x60;
const HELLO = 0x6a;
const ACCOUNT = 0x70;
const PAYLOAD = 0x7a;
/**
 * Several tags in one integer, with gaps for their values: length, kind, id; channel and method; a
 * timeout of two bytes.
 */
const KIND_ID = (KIND << 8) | (ID << 24);
const CHANNEL_METHOD = CHANNEL | (METHOD << 16);
const LONG_TIMEOUT = TIMEOUT | 0x8000;

const NOWHERE = new DataView(EMPTY.buffer);
const views = new WeakMap<Uint8Array, DataView>();
const textEncoder = new TextEncoder();
