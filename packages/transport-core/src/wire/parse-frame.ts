// Parses one complete frame: straight-line code for the field order that Trunkline's encoder
// writes, and a loop for any other order.

import { TEXT_LIMIT } from '../text.ts';
import { DOWNLOAD, EMPTY, type Frame, Kind, UNKNOWN_KINDS, UNPROCESSED, UPLOAD } from './frame.ts';
import { METADATA_LIMIT } from './metadata.ts';

/**
 * Fills `frame` from bytes[at … end), which must contain at least one byte. Returns undefined, or a
 * description of the problem.
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
 * Parses fields in any order. The last value of a repeated field counts; unknown fields are
 * skipped.
 */
function parseFields(frame: Frame, bytes: Uint8Array, at: number, end: number): string | undefined {
  position = at;
  while (position < end) {
    const tag = readVarint(bytes, end);
    switch (tag) {
      case ID:
        if (position + 4 > end) return TRUNCATED;
        frame.id =
          (bytes[position]! |
            (bytes[position + 1]! << 8) |
            (bytes[position + 2]! << 16) |
            (bytes[position + 3]! << 24)) >>>
          0;
        position += 4;
        break;
      case KIND:
      case CHANNEL:
      case METHOD:
      case FLAGS:
      case TIMEOUT:
      case SIZE:
      case CREDIT:
      case CODE:
      case REASON:
      case ACCOUNT: {
        const value = readVarint(bytes, end);
        if (value < 0) return wrongVarint(value, tag >>> 3);
        setInteger(frame, tag, value);
        break;
      }
      case TEXT:
      case METADATA:
      case HELLO:
      case PAYLOAD: {
        const length = readVarint(bytes, end);
        if (length < 0) return wrongVarint(length, tag >>> 3);
        const start = position;
        if (length > end - start) return TRUNCATED;
        position = start + length;
        if (tag === PAYLOAD) frame.place(bytes, start, position);
        else if (tag === HELLO) frame.hello = bytes.subarray(start, position);
        else if (tag === TEXT) {
          if (length > TEXT_LIMIT) return `a text of ${length} bytes; at most ${TEXT_LIMIT}`;
          frame.text = readText(bytes, start, position);
        } else {
          const wrong = parseEntry(frame, bytes, start, position);
          if (wrong !== undefined) return wrong;
        }
        break;
      }
      default: {
        const wrong = skipField(bytes, end, tag, LAST_FIELD);
        if (wrong !== undefined) return wrong;
      }
    }
  }
  frame.fields = end - at - frame.length;
  if (frame.flags !== 0 && frame.flags & ~flagsOf(frame.kind))
    return `a frame of kind ${frame.kind} with unknown flags ${frame.flags}`;
  return frame.kind === 0 ? NO_KIND : undefined;
}

/** Returns the flags that a kind may have. Any flags are allowed for kinds that are skipped. */
function flagsOf(kind: number): number {
  return kind === Kind.REQUEST
    ? UPLOAD | DOWNLOAD
    : kind === Kind.ERROR
      ? UNPROCESSED
      : kind < UNKNOWN_KINDS
        ? 0
        : -1;
}

function setInteger(frame: Frame, tag: number, value: number): void {
  switch (tag) {
    case KIND:
      frame.kind = value;
      break;
    case CHANNEL:
      frame.channel = value;
      break;
    case METHOD:
      frame.method = value;
      break;
    case FLAGS:
      frame.flags = value;
      break;
    case TIMEOUT:
      frame.timeout = value;
      break;
    case SIZE:
      frame.size = value;
      break;
    case CREDIT:
      frame.credit = value;
      break;
    case CODE:
      frame.code = value;
      break;
    case REASON:
      frame.reason = value;
      break;
    default:
      frame.account = value;
  }
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
  frame.flags = 0;
  frame.size = 0;
  frame.credit = 0;
  frame.code = 0;
  frame.text = '';
  frame.metadata = undefined;
  frame.metadataSize = 0;
  frame.reason = 0;
  frame.hello = EMPTY;
  frame.account = 0;
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
const METADATA = 0x5a;
const REASON = 0x60;
const HELLO = 0x6a;
const ACCOUNT = 0x70;
const PAYLOAD = 0x7a;
const LAST_FIELD = 15;
const ENTRY_KEY = 0x0a;
const ENTRY_VALUE = 0x12;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
