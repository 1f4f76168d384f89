// Mutates an input, several times at once: bits and bytes, numbers, positions, and words that the
// reader knows.

import type { Random } from '@trunkline/transport-core';

export interface Mutation {
  readonly random: Random;
  /** Another input to splice with. */
  readonly other: Uint8Array;
  /** Words that the reader knows. */
  readonly tokens: readonly Uint8Array[];
  /** The most bytes of an input. */
  readonly most: number;
}

/** Returns a mutated copy of `input`. */
export function mutated(input: Uint8Array, mutation: Mutation): Uint8Array {
  const { random, most } = mutation;
  let bytes: Uint8Array = input.slice(0, most);
  for (let changes = 1 + Math.floor(8 * random() ** 3); changes > 0; changes--)
    bytes = changed(bytes, mutation);
  return bytes.length > most ? bytes.slice(0, most) : bytes;
}

function changed(bytes: Uint8Array, { random, other, tokens }: Mutation): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  const { length } = bytes;
  if (length === 0) return Uint8Array.from({ length: 1 + below(16) }, () => below(256));
  const at = below(length);
  const size = 1 + below(Math.min(length - at, random() < 0.8 ? 16 : length));
  switch (below(tokens.length > 0 ? 14 : 12)) {
    case 0:
      bytes[at]! ^= 1 << below(8);
      return bytes;
    case 1:
      bytes[at] = below(256);
      return bytes;
    case 2:
      bytes[at]! += below(33) - 16;
      return bytes;
    case 3:
      bytes[at] = EDGES[below(EDGES.length)]!;
      return bytes;
    case 4:
      return spliced(bytes, at, Math.min(4, length - at), number(below));
    case 5:
      return spliced(bytes, at, size, NOTHING);
    case 6:
      return spliced(
        bytes,
        at,
        0,
        Uint8Array.from({ length: 1 + below(16) }, () => below(256)),
      );
    case 7:
      return spliced(bytes, below(length + 1), 0, bytes.slice(at, at + size));
    case 8:
      return bytes.copyWithin(below(length), at, at + size);
    case 9:
      return bytes.fill(bytes[below(length)]!, at, at + size);
    case 10: {
      const from = below(other.length + 1);
      return spliced(
        bytes,
        at,
        random() < 0.5 ? size : 0,
        other.slice(from, from + 1 + below(random() < 0.8 ? 32 : other.length + 1)),
      );
    }
    case 11: {
      // Joins the beginning of one input and the end of the other.
      const end = other.slice(below(other.length + 1));
      return spliced(bytes, at, length - at, end);
    }
    default:
      return spliced(bytes, at, random() < 0.5 ? size : 0, tokens[below(tokens.length)]!);
  }
}

/** Makes a number of one to four bytes, or a varint; boundary values are most likely. */
function number(below: (limit: number) => number): Uint8Array {
  const value = NUMBERS[below(NUMBERS.length)]! + below(3) - 1;
  const width = 1 + below(5);
  if (width === 5) {
    const varint: number[] = [];
    for (let rest = value >>> 0; ; rest >>>= 7) {
      varint.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
      if (rest <= 0x7f) return Uint8Array.from(varint);
    }
  }
  const bytes = Uint8Array.from({ length: width }, (_, i) => value >>> (8 * i));
  return below(2) === 0 ? bytes : bytes.reverse();
}

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - remove + insert.length);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(at + remove), at + insert.length);
  return result;
}

const NOTHING = new Uint8Array(0);
const EDGES = [0, 1, 0x0f, 0x10, 0x20, 0x7f, 0x80, 0xff];
const NUMBERS = [
  0, 1, 2, 0x10, 0x40, 0x7f, 0x80, 0xff, 0x100, 0x3fff, 0x4000, 0x7fff, 0x8000, 0xffff, 0x1_0000,
  0x20_0000, 0x0fff_ffff, 0x7fff_ffff, 0xffff_ffff,
];
