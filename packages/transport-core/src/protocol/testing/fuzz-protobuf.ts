// Fuzzes the protobuf codec: it either decodes bytes to a message, or refuses them with a
// documented error. A decoded message can be encoded, and then decodes to the same message again.

import protobufjs from 'protobufjs';
import type { Random } from '../../random.ts';
import { protobuf } from '../protobuf.ts';
import { isRefusal } from './refused.ts';

const { root } = protobufjs.parse(`
  syntax = "proto3";
  package fuzz;
  message All {
    double a = 1; float b = 2; int32 c = 3; uint32 d = 4; sint32 e = 5; fixed32 f = 6; sfixed32 g = 7; bool h = 8; string i = 9; bytes j = 10;
    int64 k = 11; uint64 l = 12; sint64 m = 13; fixed64 n = 14; sfixed64 o = 15; Color p = 16; All q = 17;
    repeated int32 r = 18; repeated string s = 19; repeated All t = 20; map<string, int32> u = 21; map<int32, All> v = 22;
    oneof w { string x = 23; All y = 24; }
    optional int32 z = 25; repeated sint64 aa = 26; repeated Color bb = 27; repeated double cc = 28; map<bool, bytes> dd = 29; map<int64, string> ee = 30;
  }
  enum Color { NONE = 0; RED = 1; BLUE = 5; }
`);
const type = root.lookupType('fuzz.All');
const codec = protobuf<protobufjs.Message>(type);
const short = protobuf<protobufjs.Message>(type, { values: 50 });

export const target = {
  run(input: Uint8Array): void {
    const message = read(() => codec.decode(input));
    if (message !== undefined) {
      // Unknown numbers of an enum can be decoded, but not encoded.
      const written = read(() => codec.encode(message));
      const again = written && codec.decode(written);
      if (again !== undefined && plain(again) !== plain(message))
        throw new Error(`what was written reads otherwise: ${plain(again)}, not ${plain(message)}`);
    }
    read(() => short.decode(input));
  },

  *seeds(): Iterable<Uint8Array> {
    yield type
      .encode({
        a: 1.5,
        c: -1,
        d: 7,
        h: true,
        i: 'text',
        j: Uint8Array.of(1, 2),
        p: 1,
        q: { e: -5 },
        r: [1, 2, 3],
        s: ['a'],
        u: { a: 1 },
      })
      .finish();
    yield type
      .encode({
        k: -1,
        l: 5,
        v: { 3: { i: 'deep' } },
        y: { x: 'one' },
        z: 0,
        aa: [-1, 1],
        bb: [5, 1],
        cc: [0.1],
        dd: { true: Uint8Array.of(1) },
      })
      .finish();
  },

  make(random: Random): Uint8Array {
    return type.encode(randomMessage(random, 0)).finish();
  },

  tokens: ['__proto__', 'constructor', 'true', '\u00e9'],
};

function read<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

function plain(message: protobufjs.Message): string {
  return JSON.stringify(type.toObject(message, { longs: String, bytes: String, json: true }));
}

function randomMessage(random: Random, depth: number): Record<string, unknown> {
  const below = (limit: number) => Math.floor(random() * limit);
  const message: Record<string, unknown> = {};
  const inner = () => (depth < 4 ? randomMessage(random, depth + 1) : {});
  for (const field of type.fieldsArray) {
    if (random() < 0.8) continue;
    const one = (): unknown => {
      if (field.type === 'All') return inner();
      if (field.type === 'string') return 'é'.repeat(below(6));
      if (field.type === 'bytes') return new Uint8Array(below(10));
      if (field.type === 'bool') return random() < 0.5;
      if (field.type === 'Color') return [0, 1, 5][below(3)];
      return below(2) === 0 ? below(100) : below(0x7fff_ffff);
    };
    if (field.map)
      message[field.name] = { [field.name === 'dd' ? 'true' : String(below(9))]: one() };
    else message[field.name] = field.repeated ? Array.from({ length: below(4) }, one) : one();
  }
  return message;
}
