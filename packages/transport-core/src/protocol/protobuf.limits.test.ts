// Tests of the values that the protobuf codec counts, of invalid types, and of the stacks of
// refusals.

import test from 'ava';
import protobufjs from 'protobufjs';
import type { Codec } from './codec.ts';
import { decodeAs, encodeAs } from './message.ts';
import { protobuf } from './protobuf.ts';
import { type Append, decodingOf, typesOf } from './testing/append-types.ts';
import { refusalOf } from './testing/refused.ts';

const types = { proto3: await typesOf('proto3'), proto2: await typesOf('proto2') };

const encodingOf = (codec: Codec<unknown, any>, value: unknown) => {
  const error = refusalOf(() => encodeAs(codec, 'request', value));
  return `${error.code}: ${error.message}`;
};

test('an invalid protobufjs type is a TypeError', (t) => {
  for (const type of [undefined, null, {}, 'raft.Append', () => 1, { encode() {} }])
    t.throws(() => protobuf(type as any), {
      instanceOf: TypeError,
      message: /^protobuf: expected a protobufjs type/,
    });
  for (const wrong of [0, -1, 1.5, NaN, '5' as any]) {
    t.throws(() => protobuf(types.proto3['static']!, { values: wrong }), {
      instanceOf: TypeError,
      message: /^protobuf: values: must be an integer/,
    });
    t.throws(() => protobuf(types.proto3['static']!, { limit: wrong }), {
      instanceOf: TypeError,
      message: /^protobuf: limit: must be an integer/,
    });
  }
});

test('elements of every packed list count as values, those of 64 bits eight times', (t) => {
  const kinds = {
    uint32: 8,
    int32: 8,
    sint32: 8,
    bool: 8,
    fixed32: 8,
    sfixed32: 8,
    float: 8,
    double: 8,
    uint64: 1,
    int64: 1,
    sint64: 1,
    fixed64: 1,
    sfixed64: 1,
  };
  for (const [kind, share] of Object.entries(kinds)) {
    const type = protobufjs
      .parse(`syntax = "proto3"; message List { repeated ${kind} list = 1; }`)
      .root.lookupType('List') as any;
    const [codec, small] = [
      protobuf<{ list: unknown[] }>(type),
      protobuf<{ list: unknown[] }>(type, { values: 5 }),
    ];
    for (const value of kind === 'bool' ? [true] : [1, 100]) {
      const list = (length: number) =>
        new Uint8Array(codec.encode({ list: Array(length).fill(value) }));
      t.is(small.decode(list(4 * share)).list.length, 4 * share, kind);
      t.regex(decodingOf(small, list(5 * share)), /has more values than the limit of 5/, kind);
      t.is(small.encode({ list: Array(4 * share).fill(value) }).length, list(4 * share).length);
      t.regex(
        encodingOf(small, { list: Array(5 * share).fill(value) }),
        /has more values than the limit of 5/,
        kind,
      );
    }
  }
});

test('packed enums of proto2 count as values, and unknown fields do not', (t) => {
  const source =
    'syntax = "proto2"; enum Kind { A = 0; B = 1; } message List { repeated Kind list = 1 [packed = true]; optional int32 a = 2; optional int32 b = 3; }';
  const codec = protobuf<{ list: number[] }>(
    protobufjs.parse(source).root.lookupType('List') as any,
    { values: 5 },
  );
  t.is(codec.decode(codec.encode({ list: Array(4).fill(1) })).list.length, 4);
  t.regex(decodingOf(codec, [0x0a, 6, 1, 1, 1, 1, 1, 1]), /has more values than the limit of 5/);
  t.notThrows(
    () => codec.decode(new Uint8Array([0x10, 1, 0x18, 2, 0x10, 1, 0x18, 2, 0x10, 1])),
    'a number behind its tag counts once',
  );
  const unknown = (...bytes: number[]) =>
    new Uint8Array([0x10, 1, ...Array(50).fill(bytes).flat()]);
  t.is((codec.decode(unknown(0x78, 1, 0x7a, 2, 0x08, 1)) as any).a, 1);
  t.regex(
    decodingOf(codec, unknown(0x7b, 0x08, 1, 0x7c)),
    /has more values than the limit of 5/,
    'but for groups, which are read field by field',
  );
});

test('refusals of received messages have no stack trace', (t) => {
  const codec = protobuf<Append, object>(types.proto3['static']!);
  const error = refusalOf(() => decodeAs(codec, 'request', new Uint8Array([0x08])));
  t.false(error.stack?.includes('\n    at '));
  t.false((error.cause as Error).stack?.includes('\n    at '));
  t.regex(
    refusalOf(() => encodeAs(codec, 'request', { term: 'x' })).stack ?? '',
    /protobuf\.limits/,
  );
});

test('a type with only encode and decode works, with its own strictness', (t) => {
  const { encode, decode } = types.proto3['static']!;
  const codec = protobuf<Append, object>({ encode, decode });
  t.is(codec.decode(codec.encode({ term: 5 })).term, 5);
  t.regex(decodingOf(codec, [0x08]), /^invalid_argument/);
});
