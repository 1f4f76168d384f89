// Frames, the units on a connection after its preamble: their kinds and their decoded form.
// frame.proto defines them.

import type { Bytes } from '../text.ts';

/**
 * The kinds of frames (docs/wire-protocol.md §2). 1 to 31 are reserved for Trunkline; a receiver
 * skips and counts kinds from 32 on.
 */
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

/**
 * Frames of this kind and above may come from a later version; a receiver skips and counts them.
 */
export const UNKNOWN_KINDS = 32;

/** Flags of REQUEST: the caller streams (`UPLOAD`); the callee streams (`DOWNLOAD`). */
export const UPLOAD = 1;
export const DOWNLOAD = 2;
/** Flag of ERROR: no handler has seen the call. */
export const UNPROCESSED = 1;

/** The preamble that each side sends first: `54 52 4B 4C`. */
export const PREAMBLE: Bytes = new Uint8Array([0x54, 0x52, 0x4b, 0x4c]);

/** The size in bytes from which a payload that stays as it is becomes a part of its own. */
export const LARGE = 16 * 1024;

/**
 * The size in bytes from which payloads of the program are sent from where they are. To copy that
 * much takes as long as all other work of sending it.
 */
export const LENT = 64 * 1024;

/** The number of bytes by which a frame may exceed its packet: header fields, metadata, a hello. */
export const FRAME_OVERHEAD = 16 * 1024;

/** An empty byte array, shared by all frames without payload. */
export const EMPTY: Bytes = new Uint8Array(0);

/**
 * A decoded frame. Absent fields are 0, '' or EMPTY. The decoder reuses one object for all frames,
 * so read what you need before it continues.
 */
export class Frame implements MessageHeader {
  kind: number;
  id: number;
  channel: number;
  method: number;
  flags: number;
  /** The number of milliseconds until the deadline; 0 if the call has no deadline. */
  timeout: number;
  /** The total length of a message of several packets; set only in its first packet. */
  size: number;
  /** The payload is bytes[start … end). */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** True if fields other than kind, id, channel, method, timeout and payload may be set. */
  rich = false;

  // The defaults of rare fields are on the prototype. Call `widen` before you set one of them. This
  // saves time because a direct transport creates a frame for each message.
  declare credit: number;
  declare code: number;
  declare text: string;
  declare metadata: Record<string, string> | undefined;
  /** The size of the metadata for accounts: the UTF-8 lengths of all keys and values. */
  declare metadataSize: number;
  declare reason: number;
  /** The bytes of the Hello message, undecoded. */
  declare hello: Uint8Array;
  declare account: number;
  /** The number of bytes of the frame without its payload; set if it was parsed field by field. */
  declare fields: number;

  /** Creates a frame with these two fields; the others are absent until they are filled. */
  constructor(kind: number, id: number) {
    this.kind = kind;
    this.id = id;
    this.channel = this.method = this.flags = this.timeout = this.size = 0;
    this.bytes = EMPTY;
    this.start = this.end = 0;
  }

  /** Returns an empty frame, to be filled. */
  static empty(): Frame {
    return new Frame(0, 0);
  }

  /** Adds all rare fields in one step, because V8 is slow with objects of many shapes. */
  widen(): this {
    return Object.hasOwn(this, 'credit') ? this : Object.assign(this, UNUSUAL);
  }

  /** The length of the payload in bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /**
   * The payload as a view into the chunk that was read. Each access creates a new view (`subarray`
   * would take twice as long).
   */
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

  /** Drops the references to the chunk. */
  release(): void {
    this.place(EMPTY, 0, 0);
    this.hello = viewed = EMPTY;
    memory = EMPTY.buffer;
  }

  /** Sets the payload to bytes[start … end). */
  place(bytes: Uint8Array, start: number, end: number): void {
    // Assigned only once for each chunk, because storing a new object in an old one costs the
    // garbage collector work.
    if (this.bytes !== bytes) this.bytes = bytes;
    this.start = start;
    this.end = end;
  }
}

const UNUSUAL = {
  credit: 0,
  code: 0,
  text: '',
  metadata: undefined,
  metadataSize: 0,
  reason: 0,
  hello: EMPTY,
  account: 0,
  fields: 0,
};
Object.assign(Frame.prototype, UNUSUAL);

/**
 * The memory of the chunk that was viewed last, by any frame. Asking a chunk for its memory is a
 * call into the engine and takes twice as long as creating a view.
 */
let viewed: Uint8Array = EMPTY;
let memory: ArrayBufferLike = EMPTY.buffer;
let offset = 0;

/** Receives decoded frames. */
export interface FrameVisitor {
  /**
   * Handles a frame. Returning false stops the decoder: it drops the rest of the chunk and
   * everything that follows, unless the visitor `pauses`.
   */
  frame(frame: Frame): boolean;
  /**
   * The decoder reads this after `frame` has returned false. True makes the decoder keep the rest
   * of the chunk in `unread` and continue with the next chunk.
   */
  readonly pauses?: boolean;
  /**
   * Called when a PART of call `id` was split across chunks and `length` bytes of its payload are
   * expected. Returns memory of that size for these bytes, which becomes the payload of the frame;
   * undefined lets the decoder choose the memory. The payload may never arrive completely, and the
   * call may have ended by then.
   */
  place?(id: number, length: number): Uint8Array | undefined;
}

/** Metadata in its wire format, encoded once for each call. */
export interface EncodedMetadata {
  /** Field 11 of the frame (repeated), including tags and lengths. */
  readonly bytes: Uint8Array;
  /** The size for accounts: the UTF-8 lengths of all keys and values. */
  readonly size: number;
  readonly value: Readonly<Record<string, string>>;
}

/** The fields of a message besides its kind, its id, its metadata and its payload. */
export interface MessageHeader {
  channel: number;
  method: number;
  flags: number;
  /** The number of milliseconds until the deadline; 0 if the call has no deadline. */
  timeout: number;
  /** The total length of the message if PARTs follow, otherwise 0. */
  size: number;
}

/** An error as an ERROR frame carries it. */
export interface WireError {
  readonly code: number;
  readonly reason: number;
  readonly text: string;
  readonly metadata: EncodedMetadata | undefined;
}

/**
 * The interface through which a session writes frames: as bytes into a batch (wire/encoder) or as
 * objects (the direct in-memory transport). A payload is given as a range of a buffer, so that a
 * packet of a long message needs no view.
 */
export interface FrameWriter {
  /**
   * Size of the current batch in bytes; if frames are carried as objects, only their payloads
   * count.
   */
  readonly size: number;
  /** The number of frames in the current batch. */
  readonly count: number;
  /** True if the current batch refers to the memory of payloads. */
  readonly refers: boolean;
  /**
   * Returns true if the batch has room for a frame with this many bytes of payload, metadata, text
   * or hello.
   */
  fits(bytes: number): boolean;
  /** Writes HELLO or PROTOCOLS. */
  hello(kind: number, hello: Uint8Array): void;
  /** Writes READY, PING, PONG, END or CANCEL, which have only an id; for READY it is 0. */
  signal(kind: number, id: number): void;
  goAway(code: number, reason: number, text: string): void;
  /**
   * Writes CREDIT. The stream account needs `id`; the inbox account needs `channel`, and the number
   * of one-ways that are `done`; the pipe needs none of them. Pass 0 for a value that is not
   * needed.
   */
  credit(account: number, credit: number, id: number, channel: number, done: number): void;
  /**
   * Begins a REQUEST, ONEWAY, RESPONSE, ITEM or PART; a short one-way has the id 0. Returns its
   * header, whose fields are 0, to be filled before the `message` that must follow.
   */
  begin(kind: number, id: number): MessageHeader;
  /**
   * Writes the message that was begun, with payload[start … end).
   * @param stays true if the payload is not changed before it has left.
   */
  message(
    payload: Uint8Array,
    start: number,
    end: number,
    metadata: EncodedMetadata | undefined,
    stays: boolean,
  ): void;
  error(id: number, flags: number, error: WireError): void;
}

/**
 * The number of slots that the id of a call can name. The slot takes 16 bits of an id, the
 * generation 14 and the parity one. If ids used the last bit, V8 would store them as numbers on the
 * heap.
 */
export const SLOTS = 0x1_0000;

/** The highest id that is assigned; V8's small integers end here. */
export const HIGHEST = 0x7fff_ffff;

/** Returns the slot that an id names. */
export function slotOf(id: number): number {
  return (id >>> 1) & (SLOTS - 1);
}

/** The flow-control accounts (docs/wire-protocol.md §6), by their numbers in CREDIT frames. */
export const Account = { PIPE: 1, INBOX: 2, STREAM: 3 } as const;

/**
 * The number of bytes that each unit costs its account in addition to its own bytes; this bounds
 * the number of empty units (docs/wire-protocol.md §6).
 */
export const UNIT = 64;

/**
 * The number of bytes that a one-way costs the inbox account in addition to its own bytes, instead
 * of UNIT: about what its objects take, so that the account bounds their number.
 */
const ONEWAY_UNIT = 1_024;

/**
 * The most that a message costs on the inbox account, in bytes: half of its usual start, so that a
 * message longer than the account leaves room for others.
 */
const INBOX_MOST = 4 * 1024 * 1024;
/** The most that a message counts for in the queues of its sender, in bytes. */
export const MOST_PRICE = 8 * 1024 * 1024;

/**
 * Returns the cost of a message on the inbox account.
 * @param cost its bytes and UNIT.
 */
export function inboxCost(isOneway: boolean, cost: number): number {
  return Math.min(isOneway ? cost - UNIT + ONEWAY_UNIT : cost, INBOX_MOST);
}

/** The highest value of an account (docs/wire-protocol.md §6). */
export const ACCOUNT_MAX = 0x7fff_ffff;
