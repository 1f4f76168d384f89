// Converts 32-byte names, such as node ids and topic keys, between hex and bytes. Recently used
// names are cached, because most messages belong to a few origins and topics. Reading the same name
// twice gives the same string object, which is fast to compare and to look up.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { isNodeId } from '@trunkline/transport-core/backend';
import { look } from './word-reader.ts';

/** Size of a name in bytes. */
export const NAME_BYTES = 32;

interface Name {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** The cache, by the last byte of the name. Another name with the same byte replaces it. */
const kept: (Name | undefined)[] = new Array<Name | undefined>(256).fill(undefined);

/** The name that was written last, because most ids in a list have the same name. */
let written: Name | undefined;

/** Reads the 32 bytes that begin at `at` as 64 hex digits. */
export function readName(bytes: Uint8Array, at: number): string {
  const place = bytes[at + NAME_BYTES - 1]!;
  const name = kept[place];
  const { view, at: start } = look(bytes);
  if (name !== undefined && isSame(name.words, view, start + at)) return name.text;
  const copy = bytes.slice(at, at + NAME_BYTES);
  const text = bytesToHex(copy);
  keep(place, text, copy);
  return text;
}

/**
 * Returns the same text as the string object that `readName` returns, which is fast to compare with
 * names that are read.
 */
export function sameName(text: string): string {
  return nameOf(text)?.text ?? text;
}

/**
 * Writes the 32 bytes of a name from `at` on. Returns false and writes nothing if it is not 64
 * lower-case hex digits.
 */
export function writeName(text: string, bytes: Uint8Array, at: number): boolean {
  if (written?.text !== text) {
    const name = nameOf(text);
    if (name === undefined) return false;
    written = name;
  }
  bytes.set(written.bytes, at);
  return true;
}

function nameOf(text: string): Name | undefined {
  const place = Number.parseInt(text.slice(-2), 16);
  const name = kept[place];
  if (name?.text === text) return name;
  return isNodeId(text) ? keep(place, text, hexToBytes(text)) : undefined;
}

function keep(place: number, text: string, bytes: Uint8Array): Name {
  const { view, at } = look(bytes);
  const words = Int32Array.from({ length: NAME_BYTES / 4 }, (_, i) =>
    view.getInt32(at + 4 * i, true),
  );
  const name: Name = { text, bytes, words };
  kept[place] = name;
  return name;
}

/**
 * Compares word by word without a loop, because incrementing a counter would take as long as
 * comparing.
 */
function isSame(name: Int32Array, view: DataView, at: number): boolean {
  return (
    name[7] === view.getInt32(at + 28, true) &&
    name[6] === view.getInt32(at + 24, true) &&
    name[5] === view.getInt32(at + 20, true) &&
    name[4] === view.getInt32(at + 16, true) &&
    name[3] === view.getInt32(at + 12, true) &&
    name[2] === view.getInt32(at + 8, true) &&
    name[1] === view.getInt32(at + 4, true) &&
    name[0] === view.getInt32(at, true)
  );
}
