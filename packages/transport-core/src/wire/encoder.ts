// Encodes frames into one batch buffer, which is written as it is. Lengths are not computed in
// advance. Payloads are copied, except large ones if the connection takes a batch in parts.
//
// ConnectionOutput owns the encoder. At each flush, it takes the batch, and then releases its
// buffer. The session writes frames through FrameWriter, and asks `fits` (`Batch.hasRoom`) before
// each message. encoder.test.ts and encoder.buffers.test.ts test the encoder.

import { copyBytes } from '../short-bytes.ts';
import {
  ACCOUNT,
  CHANNEL,
  CODE,
  CREDIT,
  EMPTY,
  type EncodedMetadata,
  FLAGS,
  FRAME_OVERHEAD,
  Frame,
  HELLO,
  ID,
  KIND,
  LARGE,
  LENT,
  METHOD,
  PAYLOAD,
  PREAMBLE,
  REASON,
  SIZE,
  TEXT,
  TIMEOUT,
  type WireError,
  writeVarint,
} from './frame.ts';
import * as Kind from './kind.ts';

/** The fields of a message besides its kind, its id, its metadata and its payload. */
export type MessageHeader = Pick<Frame, 'channel' | 'method' | 'flags' | 'timeout' | 'size'>;

/**
 * The interface through which a session writes frames: as bytes into a batch, or as objects
 * (FrameCollector, for the direct in-memory transport).
 */
export type FrameWriter = Readonly<
  Pick<
    FrameEncoder,
    'size' | 'count' | 'refers' | 'fits' | 'signal' | 'credit' | 'begin' | 'message' | 'error'
  >
>;

/**
 * The default size of a batch: the largest frame for packets of 64 KiB takes 64 + 16 KiB, and the
 * rest is for small frames.
 */
const BATCH_CAPACITY = 64 * 1024 + FRAME_OVERHEAD + 1024;

/**
 * Writes frames into a batch. `allocate` provides the buffer at the first byte; it is reused for
 * further batches until `release` is called. Call `fits` before each frame: a frame that does not
 * fit makes the buffer grow beyond `capacity`.
 */
export class FrameEncoder {
  readonly #allocate: (size: number) => Uint8Array;
  readonly #capacity: number;
  readonly #gathers: boolean;
  #buffer: Uint8Array = EMPTY;
  #view: DataView = NOWHERE;
  #at = 0;
  /** The position of the open frame's length, and the number of bytes reserved for it. */
  #begin = 0;
  #width = 1;
  /** The number of frames in the current batch. */
  count = 0;
  /** The header of the message that was begun; one for all messages, to save allocations. */
  readonly #header = { kind: 0, id: 0, channel: 0, method: 0, flags: 0, timeout: 0, size: 0 };
  /**
   * The parts of the batch before position `#from`: pieces of the buffer, and payloads of
   * `#attached` bytes in all.
   */
  #parts: Uint8Array[] = [];
  #from = 0;
  #attached = 0;

  /**
   * @param capacity the size of a batch in bytes; the largest frame (packet + 16 KiB) must fit.
   * Default 81 KiB.
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

  /**
   * Size of the current batch in bytes; if frames are carried as objects, only their payloads
   * count.
   */
  get size(): number {
    return this.#at + this.#attached;
  }

  /** True if the current batch refers to the memory of payloads. */
  get refers(): boolean {
    return this.#attached > 0;
  }

  /**
   * Returns true if the batch has room for a frame with this many bytes of payload, metadata, text
   * or hello.
   */
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

  /**
   * Returns the written bytes in parts; undefined if all of them are in the buffer. Call it once,
   * then `release` or `clear`.
   */
  takeParts(): Uint8Array[] | undefined {
    if (this.#attached === 0) return undefined;
    if (this.#at > this.#from) this.#parts.push(this.take());
    return this.#parts;
  }

  /** Starts the next batch in the same buffer. */
  clear(): void {
    this.#at = this.count = this.#from = 0;
    if (this.#attached > 0) this.#parts = [];
    this.#attached = 0;
  }

  /**
   * Releases the buffer and drops what was not taken, because the buffer is returned to a pool or
   * kept by a layer; the next frame allocates a new one. Returns undefined if there is none.
   */
  release(): Uint8Array | undefined {
    const buffer = this.#buffer;
    this.#buffer = EMPTY;
    this.#view = NOWHERE;
    this.clear();
    return buffer === EMPTY ? undefined : buffer;
  }

  /** Writes the four bytes that precede the first frame; `count` does not include them. */
  preamble(): void {
    if (this.#at + PREAMBLE.length > this.#buffer.length) this.#grow(PREAMBLE.length);
    this.#buffer.set(PREAMBLE, this.#at);
    this.#at += PREAMBLE.length;
  }

  /**
   * Writes PING, PONG, END or CANCEL, which have only an id; or READY, HELLO or PROTOCOLS, whose id
   * is 0.
   * @param hello the body of HELLO or PROTOCOLS.
   */
  signal(kind: number, id: number, hello: Uint8Array = EMPTY): void {
    // The kind, then the id: `cancelsIn` (decoder.ts) finds a CANCEL by these bytes.
    const at = this.#open(kind, hello.length);
    this.#close(this.#bytes(id === 0 ? at : this.#id(at, id), HELLO, hello));
  }

  /**
   * Writes CREDIT. The stream account needs `id`; an inbox account needs `channel`, and the number
   * of one-ways that are `done`; the pipe needs none of them. Pass 0 for a value that is not
   * needed.
   */
  credit(account: number, credit: number, id: number, channel: number, done: number): void {
    let at = this.#open(Kind.CREDIT, 0);
    if (id !== 0) at = this.#id(at, id);
    at = writeUint(this.#buffer, at, CHANNEL, channel);
    at = writeUint(this.#buffer, at, SIZE, done);
    at = writeUint(this.#buffer, at, CREDIT, credit);
    this.#close(writeUint(this.#buffer, at, ACCOUNT, account));
  }

  /**
   * Begins a REQUEST, ONEWAY, RESPONSE, ITEM or PART; a short one-way has the id 0. Returns its
   * header, whose fields are 0, to be filled before the `message` that must follow.
   */
  begin(kind: number, id: number): MessageHeader {
    const header = this.#header;
    header.kind = kind;
    header.id = id;
    header.channel = header.method = header.flags = header.timeout = header.size = 0;
    return header;
  }

  /**
   * Writes the message that was begun, with payload[start … end): a range, so that a packet of a
   * long message needs no view.
   * @param stays true if the payload is not changed before it has left; one of LENT bytes or more
   *   never is.
   */
  message(
    payload: Uint8Array,
    start: number,
    end: number,
    metadata: EncodedMetadata | undefined,
    stays: boolean,
  ): void {
    const { kind, id, channel, method, flags, timeout, size } = this.#header;
    let at = this.#open(kind, end - start + (metadata === undefined ? 0 : metadata.bytes.length));
    if (id !== 0) at = this.#id(at, id);
    const buffer = this.#buffer;
    // In the order that `parseFrame` reads without a loop, unless there are flags, a size or
    // metadata. The payload comes last, because it may be a part of its own.
    at = writeUint(buffer, at, CHANNEL, channel);
    at = writeUint(buffer, at, METHOD, method);
    at = writeUint(buffer, at, FLAGS, flags);
    at = writeUint(buffer, at, TIMEOUT, timeout);
    at = writeUint(buffer, at, SIZE, size);
    if (metadata !== undefined) at = this.#raw(at, metadata.bytes);
    if (this.#gathers && end - start >= (stays ? LARGE : LENT))
      return this.#attach(at, payload.subarray(start, end));
    at = this.#payload(at, payload, start, end);
    this.#close(this.#width === 2 && at - this.#begin <= 0x81 ? this.#narrow(at) : at);
  }

  /** Writes ERROR, or GO_AWAY, which has no id, flags or metadata. */
  error(kind: number, id: number, flags: number, error: WireError): void {
    const { code, reason, text, metadata } = error;
    const encoded = textEncoder.encode(text);
    const room = encoded.length + (metadata === undefined ? 0 : metadata.bytes.length);
    let at = this.#open(kind, room);
    if (id !== 0) at = this.#id(at, id);
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
   * needs. Only small messages are moved instead, see `#narrow`.
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
    this.count++;
  }

  /** Moves a small frame whose length needs one byte less than was reserved. */
  #narrow(at: number): number {
    this.#buffer.copyWithin(this.#begin + 1, this.#begin + 2, at);
    this.#width = 1;
    return at - 1;
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

/**
 * An upper bound of a frame's size in bytes, without payload, metadata, text and hello: 4 for its
 * length, 2 for its kind, 5 for its id, 30 for five integers, and 5 for the payload's tag and
 * length: 46, rounded up.
 */
const HEADER = 48;

/** The total size of parts at which a batch is full. */
const GATHERED = 256 * 1024;

/** The method `set`, looked up once because V8 looks up a typed array's methods on each use. */
const { set } = Uint8Array.prototype;

/** Maximum length, in bytes, up to which a loop copies faster than `set`. */
const LOOP = 8;

const NOWHERE = new DataView(EMPTY.buffer);
const views = new WeakMap<Uint8Array, DataView>();
const textEncoder = new TextEncoder();

// A FrameWriter that keeps frames as objects, for the direct in-memory transport. It copies
// payloads, as a real connection would. The connection provides it (`StreamConnection.frames`), and
// ConnectionOutput takes its frames at each flush. The receiving session reads them as if
// `parseFrame` had made them, except that a payload must be all of `bytes`
// (`IncomingPackets.keep`); so each field that FrameEncoder writes must be set here, too.
// compliance.test.ts of transport-inmem tests it.

/** Collects the frames that a session writes, for a StreamConnection that carries frames. */
export class FrameCollector implements FrameWriter {
  size = 0;
  readonly refers = false;
  #batch: Frame[] = [];
  /** The last message that was begun. */
  #begun = new Frame();

  get count(): number {
    return this.#batch.length;
  }

  fits(bytes: number): boolean {
    return this.size === 0 || this.size + bytes <= CAPACITY;
  }

  /** Returns the collected frames, which then belong to the caller. */
  take(): Frame[] {
    const batch = this.#batch;
    this.#batch = [];
    this.size = 0;
    return batch;
  }

  signal(kind: number, id: number, hello: Uint8Array = EMPTY): void {
    this.#add(kind, id).hello = hello;
  }

  credit(account: number, credit: number, id: number, channel: number, done: number): void {
    const frame = this.#add(Kind.CREDIT, id);
    frame.account = account;
    frame.credit = credit;
    frame.channel = channel;
    frame.size = done;
  }

  begin(kind: number, id: number): Frame {
    this.#begun = new Frame(kind, id);
    return this.#begun;
  }

  message(
    payload: Uint8Array,
    start: number,
    end: number,
    metadata: EncodedMetadata | undefined,
  ): void {
    const frame = this.#begun;
    const length = end - start;
    // The whole buffer is copied without a view, which would cost as much as the copy.
    const bytes = length === payload.length ? payload : payload.subarray(start, end);
    frame.place(length === 0 ? EMPTY : copyBytes(bytes), 0, length);
    if (metadata !== undefined) carry(frame, metadata);
    this.#push(frame);
    this.size += length;
  }

  error(kind: number, id: number, flags: number, error: WireError): void {
    const frame = this.#add(kind, id);
    frame.code = error.code;
    frame.reason = error.reason;
    frame.text = error.text;
    frame.flags = flags;
    if (error.metadata !== undefined) carry(frame, error.metadata);
  }

  #add(kind: number, id: number): Frame {
    const frame = new Frame(kind, id).widen();
    this.#push(frame);
    return frame;
  }

  #push(frame: Frame): void {
    // The first `push` into an empty array would take memory for 17 frames.
    if (this.#batch.length === 0) this.#batch = [frame];
    else this.#batch.push(frame);
  }
}

function carry(frame: Frame, metadata: EncodedMetadata): void {
  frame.widen();
  frame.metadata = Object.assign(Object.create(null), metadata.value);
  frame.metadataSize = metadata.size;
}

/**
 * The number of bytes at which a batch is full. It is small because priority can't reorder frames
 * that are in a batch already.
 */
const CAPACITY = 64 * 1024;
