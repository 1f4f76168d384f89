// Converts 32-byte names, such as node ids and topic keys, between hex and bytes. Recently used
// names are cached, because most messages belong to a few origins and topics. Reading the same name
// twice gives the same string object, which is fast to compare and to look up. A name that is not
// cached costs only its string, because a peer may send a new name with each message.

import { hexToBytes } from '@noble/hashes/utils.js';
import { isNodeId } from '@trunkline/transport-core/backend';
import { look } from './word-reader.ts';

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
