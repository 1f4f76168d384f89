// Tests of the protobuf codec, with reflection types and static code, proto2 and proto3: messages,
// refusals, and the values that it counts.

import test from 'ava';
import protobufjs from 'protobufjs';
import { TransportError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import { type Codec, decodeAs, encodeAs } from './codec.ts';
import { protobuf } from './protobuf.ts';
import { type Append, decodingOf, message, typesOf } from './testing/append-types.ts';
import { refusalOf, toldBy } from './testing/refused.ts';

const types = { proto3: await typesOf('proto3'), proto2: await typesOf('proto2') };

const each = Object.entries(types).flatMap(([syntax, kinds]) =>
  Object.entries(kinds).map(
    ([kind, type]) => [`${syntax}, ${kind}`, protobuf<Append, object>(type), type] as const,
  ),
);

const encodingOf = (codec: Codec<unknown, any>, value: unknown) => {
  const error = refusalOf(() => encodeAs(codec, 'request', value));
  return `${error.code}: ${error.message}`;
};

for (const [name, codec, type] of each) {
  test(`${name}: a message is decoded as it was encoded`, (t) => {
    const back = codec.decode(codec.encode(message));
    t.is(back.term, 7);
    t.deepEqual([...back.entries[0]!.data!], [1, 2]);
    t.is(back.entries[0]?.text, 'ü😀');
    t.is(back.entries[0]?.children?.length, 1);
    t.is(back.big.toString(), '-9007199254740993');
    t.deepEqual({ ...back.map }, { a: 'b' });
    t.deepEqual(back.packed, [1, 2, 300]);
    t.deepEqual(
      [...codec.encode(back)],
      [...codec.encode(message)],
      'a message instance encodes as the plain object does',
    );
  });

  test(`${name}: the codec has the name of its type and agrees with protobufjs byte for byte`, (t) => {
    t.is(codec.name, 'protobuf(raft.Append)');
    t.deepEqual([...codec.encode(message)], [...type.encode(message).finish()]);
    t.is(codec.encode({}).length, 0);
    t.is(codec.decode(new Uint8Array()).term, 0);
  });

  test(`${name}: bytes are plain Uint8Arrays, even if they were Buffers`, (t) => {
    for (const encoded of [codec.encode(message), new Uint8Array(codec.encode(message))]) {
      t.is(Object.getPrototypeOf(codec.decode(encoded).entries[0]!.data), Uint8Array.prototype);
    }
  });

  test(`${name}: bytes that are cut off are refused or, between two fields, decoded as a shorter message`, (t) => {
    const whole = new Uint8Array(codec.encode(message));
    let shorter = 0;
    for (let i = 0; i < whole.length; i++) {
      const part = whole.slice(0, i);
      try {
        t.deepEqual([...codec.encode(codec.decode(part))], [...part], 'no partial value');
        shorter++;
      } catch (error) {
        t.true(error instanceof TransportError && error.code === 'invalid_argument', String(error));
      }
    }
    t.is(shorter, 5, 'before the first, and behind each of the fields but the last');
  });

  test(`${name}: nesting beyond 100 levels is refused without overflow, however deep`, (t) => {
    const nested = (levels: number) => {
      // Writes nested Entry.children by hand: tag 0x22 and a length, from the inside out.
      const lengths: number[] = [];
      let length = 0;
      for (let i = 0; i < levels; i++) {
        lengths.push(length);
        length += 1 + varint(length).length;
      }
      const bytes: number[] = [0x12, ...varint(length)];
      for (const inner of lengths.reverse()) bytes.push(0x22, ...varint(inner));
      return new Uint8Array(bytes);
    };
    t.notThrows(() => codec.decode(nested(98)));
    for (const levels of [101, 10_000, 1_000_000])
      t.regex(
        decodingOf(codec, nested(levels)),
        /^invalid_argument: request: is not a message of this type: ".*max depth exceeded"/,
      );
    t.regex(
      decodingOf(codec, new Uint8Array(1_000_000).fill(0x7b)),
      /max depth exceeded/,
      'groups',
    );
    let deep: any = {};
    for (let i = 0; i < 1_000_000; i++) deep = { child: deep };
    t.regex(encodingOf(codec, { entries: [deep] }), /^invalid_argument: request/);
  });

  test(`${name}: a packed field that claims more bytes than exist is refused`, (t) => {
    t.regex(
      decodingOf(codec, [0x2a, ...varint(1_000_000_000), 1, 2]),
      /^invalid_argument: request: is not a message of this type/,
    );
  });

  test(`${name}: lengths that overflow are refused`, (t) => {
    for (const length of [
      varint(0xffff_ffff),
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ]) {
      t.regex(decodingOf(codec, [0x12, ...length, 1, 2, 3, 4, 5, 6, 7, 8]), /^invalid_argument: /);
    }
  });

  test(`${name}: a varint of more than ten bytes is refused`, (t) => {
    for (const tag of [0x08, 0x18, 0x30, 0x38, 0x48])
      t.regex(decodingOf(codec, [tag, ...Array(10).fill(0xff), 0x01]), /^invalid_argument: /);
  });

  test(`${name}: text that is not UTF-8 is refused`, (t) => {
    const bad = [
      [0xff],
      [0xc0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
      [...Array(100).fill(0x61), 0xff],
    ];
    for (const text of bad) {
      t.regex(
        decodingOf(codec, [0x12, text.length + 2, 0x1a, text.length, ...text]),
        /^invalid_argument: /,
      );
      t.regex(
        decodingOf(codec, [0x22, text.length + 2, 0x0a, text.length, ...text]),
        /^invalid_argument: /,
        'a key of a map',
      );
    }
  });

  test(`${name}: unknown fields are skipped in linear time, even a million of them, and dropped`, (t) => {
    const unknown = new Uint8Array(3_000_000);
    for (let i = 0; i < unknown.length; i += 3) unknown.set([0xf8, 0x7f, 0x01], i);
    const back = codec.decode(new Uint8Array([...codec.encode({ term: 5 }), ...unknown]));
    t.is(back.term, 5);
    t.is((back as any).$unknowns, undefined);
    t.deepEqual([...codec.encode(back)], [0x08, 0x05]);
  });

  test(`${name}: more values than allowed are refused at either end, including empty ones and those of nested messages`, (t) => {
    const small = protobuf<Append, object>(type, { values: 10 });
    const told =
      'resource_exhausted, too_large: request: has more values than the limit of 10; raise it with protobuf(type, { values }) at both ends';
    const fit = [
      { empties: [{}, {}] },
      { entries: [{ term: 1, text: 'x' }, {}] },
      { map: { a: 'b' }, entries: [{}] },
      { packed: Array(79).fill(1) },
      { packed: Array(79).fill(300) },
    ];
    for (const value of fit)
      t.notThrows(() => small.decode(small.encode(value)), JSON.stringify(value));
    const over = [
      { empties: [{}, {}, {}] },
      { entries: [{ term: 1, text: 'x' }, { term: 1 }] },
      { map: { a: 'b' }, entries: [{ term: 1 }] },
      { packed: Array(80).fill(1) },
      { packed: Array(80).fill(300) },
    ];
    for (const value of over)
      for (const run of [
        () => encodeAs(small, 'request', value),
        () => decodeAs(small, 'request', codec.encode(value)),
      ])
        t.is(toldBy(run), told);
  });

  test(`${name}: a message above the limit of bytes is refused at either end`, (t) => {
    const small = protobuf<Append, object>(type, { limit: 20 });
    t.is(small.limit, 20);
    const [fit, over] = [13, 14].map((length) => ({ entries: [{ text: 'x'.repeat(length) }, {}] }));
    t.is(small.encode(fit!).length, 19);
    t.is(small.encode({ ...fit, packed: [] }).length, 19);
    t.is(small.decode(small.encode(over!)).entries.length, 2);
    const long = { entries: [{ text: 'x'.repeat(15) }, {}] };
    const told =
      'resource_exhausted, too_large: request: has 21 bytes, above the limit of 20; raise it with protobuf(type, { limit }) at both ends';
    for (const run of [
      () => encodeAs(small, 'request', long),
      () => decodeAs(small, 'request', codec.encode(long)),
    ])
      t.is(toldBy(run), told);
  });

  test(`${name}: bombs of empty values are refused before they are built`, (t) => {
    const tags: [string, number[]][] = [
      ['empty messages', [0x52, 0]],
      ['empty entries', [0x12, 0]],
      ['empty map entries', [0x22, 0]],
      ['numbers one by one', [0x28, 1]],
      ['the same number again and again', [0x08, 1]],
      ['unknown fields', [0x78, 1]],
    ];
    for (const [what, item] of tags) {
      const bomb = new Uint8Array(4_000_000);
      for (let i = 0; i < bomb.length; i += 2) bomb.set(item, i);
      t.regex(
        decodingOf(codec, bomb),
        /^resource_exhausted: request: has more values than the limit of 32768/,
        what,
      );
    }
    const packed = new Uint8Array(5_000_000).fill(1);
    packed.set([0x2a, ...varint(packed.length - 5)]);
    t.regex(
      decodingOf(codec, packed),
      /^resource_exhausted: request: has more values than the limit of 32768/,
    );
    t.regex(
      decodingOf(codec, new Uint8Array(9_000_000)),
      /^resource_exhausted: request: has 9000000 bytes, above the limit of 8388608/,
    );
  });

  test(`${name}: keys of prototypes are plain data`, (t) => {
    const map = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
    const back = codec.decode(codec.encode({ map })).map;
    t.deepEqual(Object.entries(back).sort(), Object.entries(map).sort() as any);
    t.is(Object.getPrototypeOf({}), Object.prototype);
    t.is(({} as any).constructor, Object);
  });

  test(`${name}: a value that is not a message of this type is refused, naming the member`, (t) => {
    t.regex(encodingOf(codec, { term: 'x' }), /^invalid_argument: request\.term: integer expected/);
    t.regex(
      encodingOf(codec, { entries: [{ text: 5 }] }),
      /^invalid_argument: request\.entries\.text: string expected/,
    );
    t.regex(
      encodingOf(codec, { entries: 5 }),
      /^invalid_argument: request\.entries: array expected/,
    );
    for (const value of [undefined, null, 5, 'x'])
      t.regex(encodingOf(codec, value), /^invalid_argument: request: expected a message, got /);
  });

  test(`${name}: a value that would arrive changed is refused, naming the field`, (t) => {
    const bent: [object, string][] = [
      [{ term: -1 }, 'field 1: expected an integer from 0 to 2^32 − 1, got -1'],
      [{ term: 2 ** 32 }, 'field 1: expected an integer from 0 to 2^32 − 1, got 4294967296'],
      [{ small: 2 ** 31 }, 'field 6: expected an integer from −2^31 to 2^31 − 1, got 2147483648'],
      [
        { packed: [1, 2 ** 40] },
        'field 5: expected an integer from 0 to 2^32 − 1, got 1099511627776',
      ],
      [
        { big: 2 ** 53 },
        'field 3: expected an integer from −(2^53 − 1) to 2^53 − 1, or a Long, got 9007199254740992',
      ],
      [{ huge: -1 }, 'field 11: expected an integer from 0 to 2^53 − 1, or a Long, got -1'],
      [{ single: 1e300 }, 'field 8: expected a number within the range of a float, got 1e+300'],
      [
        { single: 3.4028235677973366e38 },
        'field 8: expected a number within the range of a float, got 3.4028235677973366e+38',
      ],
      [
        { entries: [{ text: 'a\ud800' }] },
        'field 3: expected text without lone surrogates, got a string',
      ],
      [{ map: { 'k\udc00': 'v' } }, 'field 1: expected text without lone surrogates, got a string'],
      [{ entries: [{ data: 'AQI=' }] }, 'field 2: expected a Uint8Array, got a string'],
    ];
    for (const [value, problem] of bent)
      t.is(
        encodingOf(codec, value),
        `invalid_argument: request: can't be encoded: ${JSON.stringify(problem)}`,
      );
    t.is(
      codec.decode(codec.encode({ term: 2 ** 32 - 1 })).term,
      2 ** 32 - 1,
      'and encoding continues',
    );
  });

  test(`${name}: NaN and infinite floats are transferred unchanged`, (t) => {
    for (const value of [NaN, Infinity, -Infinity, -0]) {
      const back = codec.decode(codec.encode({ single: value, twice: value })) as any;
      if (value !== 0) t.deepEqual([back.single, back.twice], [value, value]);
    }
  });

  test(`${name}: random messages are decoded as encoded, and random bytes are either refused or decoded`, (t) => {
    const random = seededRandom(5);
    const number = (limit: number) => Math.floor(random() * limit);
    for (let i = 0; i < 300; i++) {
      const entry = () => ({
        term: number(2 ** 32),
        data: Uint8Array.from({ length: number(9) }, () => number(256)),
        text: String.fromCodePoint(0x20 + number(0xd000)),
      });
      const value = {
        term: number(2 ** 32),
        entries: Array.from({ length: number(4) }, entry),
        packed: Array.from({ length: number(5) }, () => number(2 ** 32)),
        small: number(2 ** 32) - 2 ** 31,
        flag: random() < 0.5,
      };
      const encoded = new Uint8Array(codec.encode(value));
      t.deepEqual([...codec.encode(codec.decode(encoded))], [...encoded]);
      for (let flips = 0; flips < 3; flips++) encoded[number(encoded.length)] = number(256);
      try {
        codec.decode(encoded);
      } catch (error) {
        t.true(error instanceof TransportError && error.code === 'invalid_argument', String(error));
      }
    }
  });
}

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
    { values: 8 },
  );
  t.is(codec.decode(codec.encode({ list: Array(4).fill(1) })).list.length, 4);
  t.regex(decodingOf(codec, [0x0a, 6, 1, 1, 1, 1, 1, 1]), /has more values than the limit of 8/);
  t.notThrows(
    () => codec.decode(new Uint8Array([0x10, 1, 0x18, 2, 0x10, 1, 0x18, 2, 0x10, 1])),
    'a number behind its tag counts once',
  );
  const unknown = (...bytes: number[]) =>
    new Uint8Array([0x10, 1, ...Array(50).fill(bytes).flat()]);
  t.is((codec.decode(unknown(0x78, 1, 0x7a, 2, 0x08, 1)) as any).a, 1);
  t.regex(
    decodingOf(codec, unknown(0x7b, 0x08, 1, 0x7c)),
    /has more values than the limit of 8/,
    'but for groups, which are read field by field',
  );
});

test('refusals of received messages have no stack trace', (t) => {
  const codec = protobuf<Append, object>(types.proto3['static']!);
  const error = refusalOf(() => decodeAs(codec, 'request', new Uint8Array([0x08])));
  t.false(error.stack?.includes('\n    at '));
  t.false((error.cause as Error).stack?.includes('\n    at '));
  t.regex(refusalOf(() => encodeAs(codec, 'request', { term: 'x' })).stack ?? '', /protobuf\.test/);
});

test('a type with only encode and decode works, with its own strictness', (t) => {
  const { encode, decode } = types.proto3['static']!;
  const codec = protobuf<Append, object>({ encode, decode });
  t.is(codec.decode(codec.encode({ term: 5 })).term, 5);
  t.regex(decodingOf(codec, [0x08]), /^invalid_argument/);
});

test('a type whose writers have no buffer, as before protobufjs 8.7, is encoded', (t) => {
  class Operations {
    readonly #bytes: number[] = [];

    uint32(value: number): this {
      this.#bytes.push(value);
      return this;
    }

    finish(): Uint8Array {
      return new Uint8Array(this.#bytes);
    }

    reset(): this {
      return this;
    }
  }
  const type = {
    encode: ({ term }: { term: number }, writer: Operations) => writer.uint32(term),
    encodeDelimited(message: { term: number }) {
      return this.encode(message, new Operations());
    },
    decode: (bytes: Uint8Array) => ({ term: bytes[0]! }),
  };
  const codec = protobuf<{ term: number }>(type);
  for (const term of [1, 2]) t.deepEqual([...codec.encode({ term })], [term]);
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return [...bytes, left];
}
