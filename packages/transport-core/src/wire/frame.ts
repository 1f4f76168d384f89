// The frame: what crosses a connection after the preamble. frame.proto is its definition; here are the kinds and the decoded shape.

/** The kinds of frames (docs/wire-protocol.md §2). 1 to 31 are the project's own; a receiver skips and counts those from 32 on. */
export const Kind = {
  HELLO: 1,
  READY: 2,
  GO_AWAY: 3,
  PING: 4,
  PONG: 5,
  CREDIT: 6,
  PROTOCOLS: 7,
  REQUEST: 8,
  ONEWAY: 9,
  RESPONSE: 10,
  ITEM: 11,
  PART: 12,
  END: 13,
  ERROR: 14,
  CANCEL: 15,
} as const;

/** Kinds from here on may be news of a later version: skipped and counted. */
export const UNKNOWN_KINDS = 32;

/** Flags of REQUEST: the caller streams; the callee streams. */
export const UPLOAD = 1;
export const DOWNLOAD = 2;
/** Flag of ERROR: no handler saw the call. */
export const UNPROCESSED = 1;

/** `54 52 4B 4C`: what each side sends first. */
export const PREAMBLE: Uint8Array<ArrayBuffer> = new Uint8Array([0x54, 0x52, 0x4b, 0x4c]);

/** A frame may be this much longer than its packet: header fields, metadata, a hello. */
export const FRAME_OVERHEAD = 16 * 1024;

export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** A decoded frame; what is absent on the wire is 0, '' or EMPTY. The decoder reuses one: take what you need before it goes on. */
export class Frame {
  kind: number;
  id: number;
  channel: number;
  method: number;
  flags: number;
  /** Milliseconds left, 0 where the call has no deadline. */
  timeout: number;
  /** The whole length of a message of several packets, in its first packet alone. */
  size: number;
  /** Where the payload stands: bytes[start … end). */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Fields beyond kind, id, channel, method, timeout and payload may be set. */
  rich = false;

  // What few kinds have stands on the prototype, and `widen` comes before its first value: a direct transport makes a frame for each message.
  declare credit: number;
  declare code: number;
  declare text: string;
  declare metadata: Record<string, string> | undefined;
  /** Bytes of the metadata for accounts: the UTF-8 lengths of all keys and values. */
  declare metadataSize: number;
  declare reason: number;
  /** The bytes of the Hello message, undecoded. */
  declare hello: Uint8Array;
  declare account: number;
  /** Bytes of the frame besides its payload, where they were read field by field. */
  declare fields: number;

  /** Its payload is all of `payload`. One by one: by setters V8 would write each field twice. */
  constructor(kind: number, id: number, channel: number, method: number, flags: number, timeout: number, size: number, payload: Uint8Array) {
    this.kind = kind;
    this.id = id;
    this.channel = channel;
    this.method = method;
    this.flags = flags;
    this.timeout = timeout;
    this.size = size;
    this.bytes = payload;
    this.start = 0;
    this.end = payload.length;
  }

  /** One to be filled. */
  static empty(): Frame {
    return new Frame(0, 0, 0, 0, 0, 0, 0, EMPTY);
  }

  /** All of these at once: V8 is slow with objects of many shapes. */
  widen(): this {
    return Object.hasOwn(this, 'credit') ? this : Object.assign(this, UNUSUAL);
  }

  /** Bytes of the payload. */
  get length(): number {
    return this.end - this.start;
  }

  /** A view into the chunk that was read, a new one each time (`subarray` would take twice as long). */
  get payload(): Uint8Array {
    const { bytes, start, length } = this;
    if (length === 0) return EMPTY;
    if (length === bytes.length) return bytes;
    if (bytes !== viewed) {
      viewed = bytes;
      memory = bytes.buffer;
      offset = bytes.byteOffset;
    }
    return new Uint8Array(memory, offset + start, length);
  }

  set payload(payload: Uint8Array) {
    this.place(payload, 0, payload.length);
  }

  /** Holds no chunk any more. */
  release(): void {
    this.place(EMPTY, 0, 0);
    this.hello = viewed = EMPTY;
    memory = EMPTY.buffer;
  }

  /** The payload is bytes[start … end). */
  place(bytes: Uint8Array, start: number, end: number): void {
    // Told once a chunk: a write of a new object into an old one costs the garbage collector work.
    if (this.bytes !== bytes) this.bytes = bytes;
    this.start = start;
    this.end = end;
  }
}

const UNUSUAL = { credit: 0, code: 0, text: '', metadata: undefined, metadataSize: 0, reason: 0, hello: EMPTY, account: 0, fields: 0 };
Object.assign(Frame.prototype, UNUSUAL);

/** The memory of the chunk that was viewed last, of whichever frame: asking a chunk for it is a call of the engine's, twice as long as a view. */
let viewed: Uint8Array = EMPTY;
let memory: ArrayBufferLike = EMPTY.buffer;
let offset = 0;

/** What receives decoded frames. */
export interface FrameVisitor {
  /** False stops the decoder: what is left of the chunk is dropped, and so is all that follows; unless the visitor `pauses`. */
  frame(frame: Frame): boolean;
  /** Asked after a false: true leaves what is left of the chunk in `unread`, and the decoder goes on with the next one. */
  readonly pauses?: boolean;
  /**
   * A PART of call `id` was cut, and so many bytes of payload are coming: the memory of that size where they belong, which then is the
   * payload of its frame. Undefined: nowhere in particular. It need not come whole, and what was asked for may be over until then.
   */
  place?(id: number, length: number): Uint8Array | undefined;
}

/** Metadata as it crosses the wire, encoded once a call. */
export interface EncodedMetadata {
  /** The repeated field 11, tags and lengths included. */
  readonly bytes: Uint8Array;
  /** What accounts count: the UTF-8 lengths of all keys and values. */
  readonly size: number;
  readonly value: Readonly<Record<string, string>>;
}

/**
 * Where a session writes its frames: bytes in a batch (wire/encoder), or frames as they are (the direct in-memory transport).
 * Payloads are given as a range of a buffer, so that a packet of a long message costs no view.
 */
export interface FrameWriter {
  /** Bytes in the batch that nobody has taken yet (of the writer that carries frames: their payload bytes). */
  readonly size: number;
  /** Frames in the batch that nobody has taken yet. */
  readonly count: number;
  /** Is there room in the batch for a frame with so many bytes of payload, metadata, text or hello? */
  fits(bytes: number): boolean;
  /** HELLO or PROTOCOLS. */
  hello(kind: number, hello: Uint8Array): void;
  /** READY, PING, PONG, END or CANCEL: nothing but an id, READY's is 0. */
  signal(kind: number, id: number): void;
  goAway(code: number, reason: number, text: string): void;
  /** `id` for the stream account, `channel` for short and long, neither for pipe and reply: the other is 0. */
  credit(account: number, credit: number, id: number, channel: number): void;
  /**
   * What nearly all messages are: a REQUEST, a ONEWAY or a RESPONSE in one frame, without flags or metadata. What its kind has not is 0: a short
   * one-way's id, a response's channel, method and timeout.
   */
  short(kind: number, id: number, channel: number, method: number, timeout: number, payload: Uint8Array): void;
  /** A REQUEST, ONEWAY, RESPONSE, ITEM or PART. What its kind has not is 0 or undefined; `size` as well, unless PARTs follow. */
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
  ): void;
  error(id: number, code: number, reason: number, text: string, flags: number, metadata: EncodedMetadata | undefined): void;
}

/** The five accounts of docs/wire-protocol.md §6, by their numbers in CREDIT frames. */
export const Account = { PIPE: 1, SHORT: 2, LONG: 3, REPLY: 4, STREAM: 5 } as const;
