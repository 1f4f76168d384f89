// Node ids and keys of topics as text and as they cross: 32 bytes. The last ones are kept, for most messages are of a few origins and topics; and
// whoever gets the same text twice gets the same object, which is quick to compare and to look up.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { isNodeId } from '@trunkline/transport-core';
import { look } from './words.ts';

/** Bytes of a name. */
export const NAME_BYTES = 32;

interface Name {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** By the last byte: another with the same takes the place. */
const kept: (Name | undefined)[] = new Array<Name | undefined>(256).fill(undefined);

/** The one that was written last: a list of ids has the same in most of them. */
let written: Name | undefined;

/** The 64 hex digits of the 32 bytes that begin at `at`. */
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

/** The same text, as the object that `readName` gives: quick to compare with what is read. */
export function sameName(text: string): string {
  return nameOf(text)?.text ?? text;
}

/** Writes its 32 bytes from `at` on. False, and nothing is written, where it is not 64 lower-case hex digits. */
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
  const words = Int32Array.from({ length: NAME_BYTES / 4 }, (_, i) => view.getInt32(at + 4 * i, true));
  const name: Name = { text, bytes, words };
  kept[place] = name;
  return name;
}

/** Word by word, without a loop: it would count and divide for as long as it compares. */
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
