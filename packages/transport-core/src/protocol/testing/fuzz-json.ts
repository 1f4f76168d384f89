// Fuzzes the JSON codec: it either decodes bytes to the result of JSON.parse, or refuses them with
// a documented error. A decoded value can be encoded, and then decodes to the same value again.

import { deepStrictEqual } from 'node:assert';
import * as z from 'zod';
import type { Random } from '../../random.ts';
import type { Codec } from '../codec.ts';
import { json } from '../json.ts';
import { isRefusal } from './refused.ts';

/**
 * The fuzz target. The first byte of the input decides whether the rest is decoded as it is, or
 * many times over as a list or in a string.
 */
export const target = {
  run(input: Uint8Array): void {
    const flags = input[0] ?? 0;
    const bytes = flags < 0xf0 ? input.subarray(1) : repeated(input.subarray(1), flags);
    const value = read(anything, bytes);
    if (value !== REFUSED) {
      deepStrictEqual(
        value,
        JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)),
        'it is not what JSON.parse reads',
      );
      const written = anything.encode(value);
      const again = anything.encode(read(anything, written));
      if (Buffer.compare(again, written) !== 0) throw new Error('what was written reads otherwise');
    }
    read(order, bytes);
  },

  *seeds(): Iterable<Uint8Array> {
    for (const text of SEEDS) yield Uint8Array.of(0, ...encoder.encode(text));
    yield Uint8Array.of(0xff, ...encoder.encode('{}'));
  },

  make(random: Random): Uint8Array {
    return Uint8Array.of(Math.floor(random() * 256), ...encoder.encode(randomText(random, 0)));
  },

  tokens:
    '{" ": "," [[ ]] {} \\ud83d \\u0000 \\u005f_proto__ __proto__ constructor toJSON 1e999 -0 1e-400 null true "id": "lines":[ \u00e9 \ufeff'.split(
      ' ',
    ),
};

function read(codec: Codec<unknown, never>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return REFUSED;
  }
}

function repeated(body: Uint8Array, flags: number): Uint8Array {
  const isList = flags < 0xf8;
  const piece = isList ? Uint8Array.of(...body, 0x2c) : body;
  const times = Math.min(20_000, Math.ceil(LONG / Math.max(1, piece.length)));
  const bytes = new Uint8Array(piece.length * times + 2);
  for (let i = 0; i < times; i++) bytes.set(piece, 1 + i * piece.length);
  bytes[0] = isList ? 0x5b : 0x22;
  bytes[bytes.length - 1] = isList ? 0x5d : 0x22;
  if (isList) bytes[bytes.length - 2] = 0x20;
  return bytes;
}

/** Returns JSON text, sometimes text that fits the schema. */
function randomText(random: Random, depth: number): string {
  const below = (limit: number) => Math.floor(random() * limit);
  if (depth === 0 && random() < 0.3)
    return `{"id":${below(9)},"name":"${'a'.repeat(below(30))}","lines":[{"count":${below(300)},"price":${random() * 9}}]}`;
  const draw = random();
  if (draw < 0.2 && depth < 5)
    return `[${Array.from({ length: below(5) }, () => randomText(random, depth + 1)).join(',')}]`;
  if (draw < 0.5 && depth < 5) {
    return `{${Array.from({ length: below(5) }, () => `${JSON.stringify(KEYS[below(KEYS.length)])}:${randomText(random, depth + 1)}`).join(', ')}}`;
  }
  return VALUES[below(VALUES.length)]!;
}

const KEYS = 'id name lines count price tags __proto__ toJSON  \ud800 😀'.split(' ');
const VALUES =
  '0 -0 1 -1.5e3 1e999 9007199254740993 "a" "\\u00e9\\ud83d\\ude00" "\\ud83d" true false null "" [] {}'.split(
    ' ',
  );
const SEEDS = [
  '{"id":1,"name":"a","lines":[{"count":2,"price":1.5}],"tags":{"a":"b"}}',
  '[1,[2,[3,{"a":null}]]]',
  '"\\u0041\\n"',
  '-0',
  '1e999',
];
const anything = json(z.unknown()) as Codec<unknown, any>;
const order = json(
  z.object({
    id: z.number().int(),
    name: z.string().max(20),
    lines: z.array(z.object({ count: z.number().int().min(0), price: z.number() })).max(10),
    tags: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).optional(),
  }),
) as Codec<unknown, any>;
const REFUSED = Symbol('refused');
const encoder = new TextEncoder();
/** A length above the threshold at which JSON text is scanned before it is parsed. */
const LONG = 70_000;
