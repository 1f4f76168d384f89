// Frames, the units on a connection after its preamble: their decoded form, the parts of call ids,
// the costs of messages, and the parser of one frame. frame.proto and docs/wire-protocol.md define
// them. Of the exported numbers, only LARGE, LENT, SLOTS, HIGHEST and MOST_PRICE concern this end
// alone. FrameDecoder calls the parser; sessions read the frames. The parser is tested in
// decoder.test.ts and decoder.hostile.test.ts.

import { type Bytes, TEXT_LIMIT } from '../text.ts';
import * as Kind from './kind.ts';

export { Kind };

/**
 * Frames of this kind and above may come from a later version. Once the connection is up, a
 * receiver skips them, and counts them in `unknownFrame`. A lower kind that it does not know, and
 * any unknown kind during the hello, is a violation.
 */
export const UNKNOWN_KINDS = 32;

/** Flags of REQUEST: the caller streams (`UPLOAD`); the callee streams (`DOWNLOAD`). */
export const UPLOAD = 1;
export const DOWNLOAD = 2;
/** Flag of ERROR: no handler has seen the call. */
export const UNPROCESSED = 1;

/** The preamble that each side sends first: `54 52 4B 4C`. */
export const PREAMBLE: Bytes = new Uint8Array([0x54, 0x52, 0x4b, 0x4c]);

/**
 * The size in bytes from which a payload that nobody changes is not copied into its batch: it is
 * written as a part of its own, from where it is, if the connection takes batches in parts.
 */
export const LARGE = 16 * 1024;

/**
 * The size in bytes from which a payload that the program still owns is sent without a copy of its
 * own; the program must not change it until it has left (`isLent`). To copy that much takes as long
 * as all other work of sending it. protocol/codec.ts and the README of core promise programs that a
 * smaller payload is theirs again, so it must not be lowered.
 */
export const LENT = 64 * 1024;

/** The number of bytes by which a frame may exceed its packet: header fields, metadata, a hello. */
export const FRAME_OVERHEAD = 16 * 1024;

/** An empty byte array, shared by all frames without payload. */
export const EMPTY: Bytes = new Uint8Array(0);

/**
 * A decoded frame. Absent fields are 0, '' or EMPTY; `metadata` is undefined. The decoder reuses
 * one object for all frames, so read what you need before it continues.
 */
export class Frame {
  kind: number;
  id: number;
  channel: number;
  method: number;
  flags: number;
  /** The number of milliseconds until the deadline; 0 if the call has no deadline. */
  timeout: number;
  /**
   * In the first packet of a message of several packets, its total length; in CREDIT of account 2,
   * the number of one-ways that are done.
   */
  size: number;
  /** The payload is bytes[start … end). */
  bytes: Uint8Array;
  start: number;
  end: number;
  /**
   * True if the parser may have set fields other than kind, id, channel, method, timeout and
   * payload. Always false if the connection carries frames: nothing is parsed then.
   */
  rich = false;

  // The defaults of rare fields are on the prototype. Call `widen` before you set one of them. This
  // saves time because a direct transport creates a frame for each message.
  declare credit: number;
  declare code: number;
  declare text: string;
  declare metadata: Record<string, string> | undefined;
  /**
   * The size of the metadata for accounts: the UTF-8 lengths of all keys and values as they were
   * sent. An entry whose key comes again counts, too, so that both ends charge the same.
   */
  declare metadataSize: number;
  declare reason: number;
  /** The bytes of the Hello message, undecoded. */
  declare hello: Uint8Array;
  declare account: number;
  /** The number of bytes, without the payload, that were parsed field by field; valid if `rich`. */
  declare fields: number;

  /**
   * Creates a frame of this kind and id. The other common fields are 0 or empty, and `widen` adds
   * the rare ones.
   */
  constructor(kind = 0, id = 0) {
    this.kind = kind;
    this.id = id;
    this.channel = this.method = this.flags = this.timeout = this.size = 0;
    this.bytes = EMPTY;
    this.start = this.end = 0;
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
   * The payload: `bytes` itself if the payload fills it, which `Assembly.add` recognizes, otherwise
   * a view. Each access creates a new view (`subarray` would take twice as long).
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

  /** Drops the references to the chunk, whose memory may then be freed or reused. */
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

/**
 * Maximum size of the metadata in one frame, and of the fields of a hello, in bytes of keys and
 * values (UTF-8). common-options.ts repeats it, and its test compares them.
 */
export const METADATA_LIMIT = 8 * 1024;

/** Metadata in its wire format, encoded once for each call. */
export interface EncodedMetadata {
  /** Field 11 of the frame (repeated), including tags and lengths. */
  readonly bytes: Uint8Array;
  /** The size for accounts: the UTF-8 lengths of all keys and values. */
  readonly size: number;
  readonly value: Readonly<Record<string, string>>;
}

/** An error as an ERROR frame carries it. */
export interface WireError {
  readonly code: number;
  readonly reason: number;
  readonly text: string;
  readonly metadata: EncodedMetadata | undefined;
}

/**
 * The number of slots that the id of a call can name. The slot takes 16 bits of an id, the
 * generation 14 and the parity one. If ids used the last bit, V8 would store them as numbers on the
 * heap.
 */
export const SLOTS = 0x1_0000;

/**
 * The highest id that is assigned; V8's small integers end here in Node. The simulation gives
 * higher ids to copies of frames (src/network/message-line.ts).
 */
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
 * of UNIT: about what its objects take, so that the account bounds their number
 * (docs/wire-protocol.md §6).
 */
const ONEWAY_UNIT = 1_024;

/**
 * The most that a message costs on the inbox account, in bytes: half of its usual start, so that a
 * message longer than the account leaves room for others (docs/wire-protocol.md §6).
 */
const INBOX_MOST = 4 * 1024 * 1024;
/**
 * The most that a message counts for in the queues of its sender, in bytes (documented at
 * `limits.outbound`). REPLIES_MAX of session/outbox.ts must not be smaller.
 */
export const MOST_PRICE = 8 * 1024 * 1024;

/**
 * Returns the cost of a message on the inbox account.
 * @param cost its bytes and UNIT.
 */
export function inboxCost(isOneway: boolean, cost: number): number {
  return Math.min(isOneway ? cost - UNIT + ONEWAY_UNIT : cost, INBOX_MOST);
}

/**
 * The highest value of an account, and of a hello's initial credit (docs/wire-protocol.md §6).
 * common-options.ts repeats it, and its test compares them.
 */
export const ACCOUNT_MAX = 0x7fff_ffff;

// The parser of one complete frame: straight-line code for the field order that Trunkline's encoder
// writes, and a loop for any other order.

/**
 * Fills `frame`, on which `widen` must have been called, from bytes[at … end), which must contain
 * at least one byte. Returns undefined, or a description of the problem.
 */
export function parseFrame(
  frame: Frame,
  bytes: Uint8Array,
  at: number,
  end: number,
): string | undefined {
  if (frame.rich) reset(frame);
  let kind = 0;
  let id = 0;
  let channel = 0;
  let method = 0;
  let timeout = 0;
  let value: number;
  const last = end - 1;
  if (at < last && bytes[at] === KIND && (value = bytes[at + 1]!) < 0x80) {
    kind = value;
    at += 2;
  }
  if (at + 5 <= end && bytes[at] === ID) {
    id =
      (bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24)) >>>
      0;
    at += 5;
  }
  if (at < last && bytes[at] === CHANNEL && (value = bytes[at + 1]!) < 0x80) {
    channel = value;
    at += 2;
  }
  if (at < last && bytes[at] === METHOD && (value = bytes[at + 1]!) < 0x80) {
    method = value;
    at += 2;
  }
  if (at < last && bytes[at] === TIMEOUT) {
    if ((value = bytes[at + 1]!) < 0x80) {
      timeout = value;
      at += 2;
    } else if (at + 2 < end && bytes[at + 2]! < 0x80) {
      timeout = (value & 0x7f) | (bytes[at + 2]! << 7);
      at += 3;
    }
  }
  frame.kind = kind;
  frame.id = id;
  frame.channel = channel;
  frame.method = method;
  frame.timeout = timeout;
  if (at < last && bytes[at] === PAYLOAD) {
    let start = at + 2;
    value = bytes[at + 1]!;
    if (value >= 0x80 && start < end) {
      value = (value & 0x7f) | (bytes[start]! << 7);
      if (bytes[start++]! >= 0x80 && start < end)
        value = (value & 0x3fff) | (bytes[start++]! << 14);
    }
    // If the payload ends where the frame ends, its length was read correctly and no field follows.
    if (start + value === end && bytes[start - 1]! < 0x80) {
      frame.place(bytes, start, end);
      return kind === 0 ? NO_KIND : undefined;
    }
  }
  frame.place(EMPTY, 0, 0);
  if (at === end) return kind === 0 ? NO_KIND : undefined;
  frame.rich = true;
  return parseFields(frame, bytes, at, end);
}

/**
 * Parses fields in any order. The last value of a repeated field counts, except that each entry of
 * the metadata is added; unknown fields are skipped.
 */
function parseFields(frame: Frame, bytes: Uint8Array, at: number, end: number): string | undefined {
  position = at;
  while (position < end) {
    const tag = readVarint(bytes, end);
    if (WIRE_TYPES[tag >>> 3] !== (tag & 7)) {
      const wrong = skipField(bytes, end, tag, WIRE_TYPES.length - 1);
      if (wrong !== undefined) return wrong;
      continue;
    }
    if (tag === ID) {
      if (position + 4 > end) return TRUNCATED;
      frame.id = readId(bytes, position);
      position += 4;
      continue;
    }
    const value = readVarint(bytes, end);
    if (value < 0) return wrongVarint(value, tag >>> 3);
    const start = position;
    if ((tag & 7) === 0) setInteger(frame, tag, value);
    else if (value > end - start) return TRUNCATED;
    else position = start + value;
    if (tag === PAYLOAD) frame.place(bytes, start, position);
    else if (tag === HELLO) frame.hello = bytes.subarray(start, position);
    else if (tag === TEXT) {
      if (value > TEXT_LIMIT) return `a text of ${value} bytes; at most ${TEXT_LIMIT}`;
      frame.text = readText(bytes, start, position);
    } else if (tag === METADATA) {
      const wrong = parseEntry(frame, bytes, start, position);
      if (wrong !== undefined) return wrong;
    }
  }
  frame.fields = end - at - frame.length;
  const { kind, flags } = frame;
  const known = kind === Kind.REQUEST ? UPLOAD | DOWNLOAD : kind === Kind.ERROR ? UNPROCESSED : 0;
  if (flags & ~known && kind < UNKNOWN_KINDS)
    return `a frame of kind ${kind} with unknown flags ${flags}`;
  return frame.kind === 0 ? NO_KIND : undefined;
}

function setInteger(frame: Frame, tag: number, value: number): void {
  if (tag === KIND) frame.kind = value;
  else if (tag === CHANNEL) frame.channel = value;
  else if (tag === METHOD) frame.method = value;
  else if (tag === FLAGS) frame.flags = value;
  else if (tag === TIMEOUT) frame.timeout = value;
  else if (tag === SIZE) frame.size = value;
  else if (tag === CREDIT) frame.credit = value;
  else if (tag === CODE) frame.code = value;
  else if (tag === REASON) frame.reason = value;
  else frame.account = value;
}

/**
 * Parses a metadata entry: key 1, value 2. It is stored in an object without a prototype, so any
 * key is plain data.
 */
function parseEntry(frame: Frame, bytes: Uint8Array, at: number, end: number): string | undefined {
  let key = '';
  let value = '';
  let keySize = 0;
  let valueSize = 0;
  position = at;
  while (position < end) {
    const tag = readVarint(bytes, end);
    if (tag === ENTRY_KEY || tag === ENTRY_VALUE) {
      const length = readVarint(bytes, end);
      if (length < 0) return wrongVarint(length, METADATA >>> 3);
      const start = position;
      if (length > end - start) return TRUNCATED;
      position = start + length;
      if (tag === ENTRY_KEY) {
        key = readText(bytes, start, position);
        keySize = length;
      } else {
        value = readText(bytes, start, position);
        valueSize = length;
      }
    } else {
      const wrong = skipField(bytes, end, tag, ENTRY_VALUE >>> 3);
      if (wrong !== undefined) return wrong;
    }
  }
  frame.metadataSize += keySize + valueSize;
  if (frame.metadataSize > METADATA_LIMIT) return `metadata of more than ${METADATA_LIMIT} bytes`;
  frame.metadata ??= Object.create(null) as Record<string, string>;
  frame.metadata[key] = value;
  return undefined;
}

/**
 * Skips an unknown field. A known field (a number up to `known`) gets here only if its wire type is
 * wrong.
 */
function skipField(bytes: Uint8Array, end: number, tag: number, known: number): string | undefined {
  if (tag < 0) return wrongVarint(tag, 0);
  const field = tag >>> 3;
  const type = tag & 7;
  if (field === 0) return 'a field with the number 0';
  if (type === 3 || type === 4) return `a group (field ${field})`;
  if (type > 5) return `field ${field} has the wire type ${type}, which does not exist`;
  if (field <= known) return `field ${field} has the wrong wire type ${type}`;
  if (type === 0) {
    for (let count = 0; position < end; ) {
      if (bytes[position++]! < 0x80) return undefined;
      if (++count === MAX_VARINT) return wrongVarint(OVERLONG, field);
    }
    return TRUNCATED;
  }
  const length = type === 1 ? 8 : type === 5 ? 4 : readVarint(bytes, end);
  if (length < 0) return wrongVarint(length, field);
  if (length > end - position) return TRUNCATED;
  position += length;
  return undefined;
}

/**
 * Reads the varint at `position` and moves past it. A negative result indicates why there is no
 * varint below 2^32.
 */
function readVarint(bytes: Uint8Array, end: number): number {
  let at = position;
  if (at < end && bytes[at]! < 0x80) {
    position = at + 1;
    return bytes[at]!;
  }
  let value = 0;
  let scale = 1;
  for (let count = 0; at < end; scale *= 0x80) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      position = at;
      return value < 0x1_0000_0000 ? value : TOO_BIG;
    }
    if (++count === MAX_VARINT) return OVERLONG;
  }
  return CUT;
}

/**
 * Writes a varint and returns the position after it. The value must be below 2^32, because `>>>=`
 * works on 32 bits.
 */
export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    buffer[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  buffer[at] = value;
  return at + 1;
}

/** Reads an id: four bytes, the lowest first. */
export function readId(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

/** Decodes UTF-8; invalid bytes become U+FFFD. */
function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_TEXT) return decoder.decode(bytes.subarray(start, end));
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 0x7f) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Clears the fields that the straight-line code does not set. */
function reset(frame: Frame): void {
  frame.rich = false;
  frame.flags = frame.size = frame.credit = frame.code = frame.reason = frame.account = 0;
  frame.text = '';
  frame.metadata = undefined;
  frame.metadataSize = 0;
  frame.hello = EMPTY;
}

function wrongVarint(wrong: number, field: number): string {
  if (wrong === CUT) return TRUNCATED;
  const name = field === 0 ? "a field's tag" : `field ${field}`;
  return wrong === TOO_BIG
    ? `${name} has a value of 2^32 or more`
    : `${name} has a varint of more than ${MAX_VARINT} bytes`;
}

/** The position of the loop: a module variable suffices, because parsing never yields control. */
let position = 0;

const TOO_BIG = -1;
const OVERLONG = -2;
const CUT = -3;

const TRUNCATED = 'a frame that ends inside a field';
const NO_KIND = 'a frame without a kind';

/** Maximum number of bytes in a varint: protobuf's own limit, for 64 bits. */
const MAX_VARINT = 10;

/** Maximum length, in bytes, up to which a loop over ASCII is faster than TextDecoder. */
const SHORT_TEXT = 32;

/**
 * The tags of fields: the number and wire type in one byte, as frame.proto numbers them.
 * metadata.ts writes METADATA, ENTRY_KEY and ENTRY_VALUE as literals.
 */
export const KIND = 0x08;
export const ID = 0x15;
export const CHANNEL = 0x18;
export const METHOD = 0x20;
export const FLAGS = 0x28;
export const TIMEOUT = 0x30;
export const SIZE = 0x38;
export const CREDIT = 0x40;
export const CODE = 0x48;
export const TEXT = 0x52;
const METADATA = 0x5a;
export const REASON = 0x60;
export const HELLO = 0x6a;
export const ACCOUNT = 0x70;
export const PAYLOAD = 0x7a;
/** The wire type of each field, by its number. */
const WIRE_TYPES = [-1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 2, 0, 2];
const ENTRY_KEY = 0x0a;
const ENTRY_VALUE = 0x12;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
