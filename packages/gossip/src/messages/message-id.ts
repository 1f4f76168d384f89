// The id of a message: its publisher, the publisher's life, and a sequence number. Publishing equal
// content twice gives two ids.

import { hexToBytes } from '@noble/hashes/utils.js';
import { type Bytes, isNodeId } from '@trunkline/transport-core/backend';

export interface MessageId {
  /** The node id of the publisher. Only a signature proves it. */
  readonly origin: string;
  /**
   * The life of the publisher, 0 to 2^48 − 1: by default the time of its start in milliseconds
   * since 1970, or a higher number. It is higher after each restart, except if the clock went back
   * and the publisher has no store (driver/lives.ts).
   */
  readonly epoch: number;
  /**
   * A sequence number that counts up from 0 within an epoch, 0 to 2^48 − 1. Numbers may be skipped,
   * and a message to a list of nodes leaves a gap at all others.
   */
  readonly sequence: number;
}

/** The highest epoch and sequence: six bytes. */
export const LARGEST_NUMBER = 2 ** 48 - 1;

/** Size of an encoded id in bytes: 32 for the origin, 6 for the epoch and 6 for the sequence. */
export const MESSAGE_ID_BYTES = 44;

/**
 * Returns a string that is equal for equal ids and different for different ones. All keys of one
 * life share their ending. The endings of recent lives are cached, because most messages belong to
 * a few lives.
 */
export function messageKey({ origin, epoch, sequence }: MessageId): string {
  // A mask is used, because the remainder of a division would take longer than all other steps
  // here.
  const place = epoch & (kept.length - 1);
  let life = kept[place];
  if (life === undefined || life.epoch !== epoch || life.origin !== origin)
    kept[place] = life = { origin, epoch, end: `.${epoch}.${origin}` };
  return sequence + life.end;
}

/** The cached endings, by the last bits of the epoch. */
const kept: (
  | { readonly origin: string; readonly epoch: number; readonly end: string }
  | undefined
)[] = new Array(64).fill(undefined);

/**
 * Encodes an id into the 44 bytes that begin at `at`, big-endian, so that ids sort by origin, then
 * epoch, then sequence. Throws a TypeError if its origin is not a node id.
 */
export function writeMessageId(id: MessageId, bytes: Uint8Array, at: number): void {
  if (!writeName(id.origin, bytes, at))
    throw new TypeError(
      `writeMessageId: id: origin must be 64 lower-case hex digits, got ${JSON.stringify(id.origin)}`,
    );
  writeNumber(bytes, at + NAME_BYTES, id.epoch);
  writeNumber(bytes, at + NAME_BYTES + 6, id.sequence);
}

/** Decodes the id in the 44 bytes that begin at `at`; any 44 bytes are an id. */
export function readMessageId(bytes: Uint8Array, at: number): MessageId {
  const origin = readName(bytes, at);
  const { view, at: start } = look(bytes);
  return {
    origin,
    epoch: readNumber(view, start + at + NAME_BYTES),
    sequence: readNumber(view, start + at + NAME_BYTES + 6),
  };
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  const low = value >>> 0;
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  bytes[at + 2] = low >>> 24;
  bytes[at + 3] = low >>> 16;
  bytes[at + 4] = low >>> 8;
  bytes[at + 5] = low;
}

function readNumber(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}

// Converts 32-byte names, such as node ids and topic keys, between hex and bytes. Recently used
// names are cached, because most messages belong to a few origins and topics. Reading the same name
// twice gives the same string object, which is fast to compare and to look up. A name that is not
// cached costs only its string, because a peer may send a new name with each message.

/** Size of a name in bytes. */
export const NAME_BYTES = 32;

/**
 * The cache, by the last byte of the name: texts, and bytes one after the other. Another name with
 * the same byte replaces it. At first, all bytes are 0.
 */
const texts = new Array<string>(256).fill('0'.repeat(2 * NAME_BYTES));
const names = new Uint8Array(texts.length * NAME_BYTES);
const words = new DataView(names.buffer);

/** The place of the name that was written last, because most ids in a list have the same name. */
let written = 0;

/** Reads the 32 bytes that begin at `at` as 64 hex digits. */
export function readName(bytes: Uint8Array, at: number): string {
  const place = bytes[at + NAME_BYTES - 1]!;
  const { view, at: start } = look(bytes);
  if (!isSame(place * NAME_BYTES, view, start + at)) {
    for (let i = 0; i < NAME_BYTES; i++) {
      const byte = bytes[at + i]!;
      names[place * NAME_BYTES + i] = byte;
      codes[2 * i] = DIGITS[byte >> 4]!;
      codes[2 * i + 1] = DIGITS[byte & 15]!;
    }
    // Adding up the digits would make a chain of 32 strings, which takes ten times as much memory.
    texts[place] = String.fromCharCode.apply(undefined, codes);
  }
  return texts[place]!;
}

/**
 * Returns the same text as the string object that `readName` returns, which is fast to compare with
 * names that are read.
 */
export function sameName(text: string): string {
  return find(text) ? texts[written]! : text;
}

/**
 * Writes the 32 bytes of a name from `at` on. Returns false and writes nothing if it is not 64
 * lower-case hex digits.
 */
export function writeName(text: string, bytes: Uint8Array, at: number): boolean {
  if (!find(text)) return false;
  for (let i = 0; i < NAME_BYTES; i++) bytes[at + i] = names[written * NAME_BYTES + i]!;
  return true;
}

/** Sets `written` to the place of a name. Returns false if it is not a name. */
function find(text: string): boolean {
  if (texts[written] === text) return true;
  const place = Number.parseInt(text.slice(-2), 16);
  if (texts[place] !== text) {
    if (!isNodeId(text)) return false;
    texts[place] = text;
    names.set(hexToBytes(text), place * NAME_BYTES);
  }
  written = place;
  return true;
}

/**
 * Compares word by word without a loop, because incrementing a counter would take as long as
 * comparing.
 */
function isSame(from: number, view: DataView, at: number): boolean {
  return (
    words.getInt32(from + 28, true) === view.getInt32(at + 28, true) &&
    words.getInt32(from + 24, true) === view.getInt32(at + 24, true) &&
    words.getInt32(from + 20, true) === view.getInt32(at + 20, true) &&
    words.getInt32(from + 16, true) === view.getInt32(at + 16, true) &&
    words.getInt32(from + 12, true) === view.getInt32(at + 12, true) &&
    words.getInt32(from + 8, true) === view.getInt32(at + 8, true) &&
    words.getInt32(from + 4, true) === view.getInt32(at + 4, true) &&
    words.getInt32(from, true) === view.getInt32(at, true)
  );
}

/** The digits of the name that is read, and the codes of all digits. */
const codes = new Array<number>(2 * NAME_BYTES).fill(0);
const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

// Gives access to bytes by 32-bit words. Comparing node ids by words takes a third of the time that
// it takes by bytes. Getting the buffer of a typed array is a call into the engine, and so is
// creating a view. Therefore the last buffer and view are kept: a message is read several times,
// and messages that arrive together share their memory.

/** The bytes that were read last, a view of the whole memory that holds them, and their offset. */
const here = {
  bytes: new Uint8Array(0),
  memory: new ArrayBuffer(0) as ArrayBufferLike,
  view: new DataView<ArrayBufferLike>(new ArrayBuffer(0)),
  at: 0,
};

/**
 * Returns a view of the whole memory that holds these bytes, and their offset in it. Readers must
 * stay within the bytes. The object is shared: it is valid until the next call of `look` or `rest`.
 */
function look(bytes: Uint8Array): Readonly<typeof here> {
  if (bytes !== here.bytes) turn(bytes);
  return here;
}

/**
 * Returns the same bytes as `bytes.subarray(from)`, in half the time, as a plain Uint8Array. The
 * cached view then belongs to the result. Throws a RangeError if `from` is too large.
 */
export function rest(bytes: Uint8Array, from: number): Uint8Array {
  if (bytes !== here.bytes) turn(bytes);
  const at = here.at + from;
  const part = new Uint8Array(here.memory, at, bytes.length - from);
  here.bytes = part as Bytes;
  here.at = at;
  return part;
}

function turn(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer !== here.memory) {
    here.memory = buffer;
    here.view = new DataView(buffer);
  }
  here.bytes = bytes as Bytes;
  here.at = bytes.byteOffset;
}
