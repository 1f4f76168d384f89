// Tests of the JSON codec: values, schemas, refusals and limits.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import test from 'ava';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { TransportError } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import type { Codec } from './codec.ts';
import { json } from './json.ts';
import { decodeAs, encodeAs } from './message.ts';

const anything = json(z.any());
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (content: string) => new TextEncoder().encode(content);

function refusalOf(run: () => unknown): TransportError {
  try {
    run();
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
const encodingOf = (value: unknown) =>
  refusalOf(() => encodeAs(anything, 'request', value as any)).message;
const decodingOf = (content: string | Uint8Array) =>
  refusalOf(() =>
    decodeAs(anything, 'request', typeof content === 'string' ? bytesOf(content) : content),
  ).message;

test('the encoded bytes are JSON.stringify of the value', (t) => {
  const codec = json(
    z.object({
      at: z.iso.datetime(),
      note: z.string().default('none'),
      n: z.coerce.number().optional(),
    }),
  );
  t.is(text(codec.encode({ at: '2026-01-02T03:04:05Z' })), '{"at":"2026-01-02T03:04:05Z"}');
});

test('the receiver gets the output of the schema', (t) => {
  const codec = json(
    z.object({ note: z.string().default('none'), size: z.string().transform((s) => s.length) }),
  );
  t.deepEqual(codec.decode(codec.encode({ size: 'four' })), { note: 'none', size: 4 });
});

test('zod/mini and any other Standard Schema work', (t) => {
  t.is(json(mini.object({ a: mini.number() })).decode(bytesOf('{"a":1}')).a, 1);
  const even: StandardSchemaV1<number> = {
    '~standard': {
      version: 1,
      vendor: 'own',
      validate: (value) =>
        Number(value) % 2 === 0 ? { value: value as number } : { issues: [{ message: 'is odd' }] },
    },
  };
  t.is(json(even).decode(json(even).encode(4)), 4);
  t.is(refusalOf(() => json(even).encode(3)).message, 'json: value: is odd');
});

test('a violation of the schema names its path at both ends, with code invalid_argument', (t) => {
  const codec = json(z.object({ entries: z.array(z.object({ term: z.number() })) }));
  const sending = refusalOf(() =>
    encodeAs(codec, 'request', { entries: [{ term: 1 }, { term: 'x' as any }] }),
  );
  t.is(sending.code, 'invalid_argument');
  t.regex(sending.message, /^request\.entries\[1\]\.term: .*expected number/);
  const receiving = refusalOf(() =>
    decodeAs(codec, 'raft.append request', bytesOf('{"entries":[{"term":null},{}]}')),
  );
  t.is(receiving.code, 'invalid_argument');
  t.regex(
    receiving.message,
    /^raft\.append request\.entries\[0\]\.term: .*expected number.* \(and 1 more\)$/,
  );
});

test('NaN is refused with its path', (t) => {
  const codec = json(z.any());
  t.is(
    refusalOf(() => encodeAs(codec, 'request', { entries: [1, 2, 3, { term: NaN }] })).message,
    'request.entries[3].term: expected a finite number (from about −1.8e308 to 1.8e308), got NaN',
  );
});

const decodingWith = (codec: Codec<unknown, any>, value: unknown) =>
  refusalOf(() => decodeAs(codec, 'request', bytesOf(JSON.stringify(value)))).message;

const odd = new (class Odd {
  x = 1;
})();
const refused: [name: string, value: unknown, problem: RegExp][] = [
  ['Infinity', Infinity, /got Infinity/],
  ['−Infinity', -Infinity, /got -Infinity/],
  ['a Date', new Date(0), /got a Date/],
  ['a Map', new Map(), /got a Map/],
  ['a Set', new Set(), /got a Set/],
  ['a typed array', new Uint8Array(3), /got a Uint8Array/],
  ['an ArrayBuffer', new ArrayBuffer(3), /got an ArrayBuffer/],
  ['a bigint', 1n, /got a bigint/],
  ['a function', () => 1, /got a function/],
  ['a symbol', Symbol('s'), /got a symbol/],
  ['an instance of a class', odd, /got an Odd/],
  ['a boxed number', Object(1), /got a Number/],
  ['a RegExp', /x/, /got a RegExp/],
  ['an Error', new Error('x'), /got an Error/],
  ['a promise', Promise.resolve(), /got a Promise/],
  ['an object with toJSON', { toJSON: () => 1 }, /toJSON: expected JSON, got a function/],
  ['an object of an odd prototype', Object.create({ inherited: 1 }), /got an object/],
  ['a lone surrogate', 'a\ud800b', /has a lone surrogate/],
];
for (const [name, value, problem] of refused) {
  test(`${name} is refused anywhere in a value`, (t) => {
    t.regex(encodingOf(value), problem);
    t.regex(encodingOf({ a: [1, { b: value }] }), problem);
    t.true(encodingOf({ a: [1, { b: value }] }).startsWith('request.a[1].b'));
  });
}

test('undefined is left out of objects and refused elsewhere', (t) => {
  t.is(text(anything.encode({ a: undefined, b: 1 })), '{"b":1}');
  t.is(encodingOf([1, undefined]), 'request[1]: expected JSON, got undefined');
  // biome-ignore lint/suspicious/noSparseArray: that is what it tests
  t.is(encodingOf({ list: [1, , 3] }), 'request.list[1]: expected JSON, got undefined');
  t.is(encodingOf(undefined), 'request: expected JSON, got undefined');
});

test('a cycle is refused and named', (t) => {
  const value: any = { a: { b: [] } };
  value.a.b.push(value);
  t.is(encodingOf(value), 'request.a.b[0]: is a cycle: it contains itself');
  const shared = { x: 1 };
  t.is(
    text(anything.encode([shared, shared])),
    '[{"x":1},{"x":1}]',
    'the same object twice is not a cycle',
  );
});

test('a key with a lone surrogate is refused, one that only looks like an escape is not', (t) => {
  t.regex(encodingOf({ 'k\udc00': 1 }), /the key has a lone surrogate/);
  t.deepEqual(anything.decode(anything.encode({ '\\ud800': '\\udc00', face: '😀' })), {
    '\\ud800': '\\udc00',
    face: '😀',
  });
  t.regex(decodingOf('"\\uD800"'), /lone surrogate/);
  t.regex(decodingOf('{"\\ud800":1}'), /lone surrogate/);
  t.is(anything.decode(bytesOf('"\\ud83d\\ude00"')), '😀');
});

test('−0 arrives as 0', (t) => {
  t.is(text(anything.encode({ x: -0 })), '{"x":0}');
});

const nested = (levels: number) => {
  let value: unknown = 0;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

const deep = json(z.any(), { values: 10_000_000 });

test('1,000 levels of nesting are accepted if the limit of values allows them, 1,001 are refused at either end', (t) => {
  t.deepEqual(deep.decode(deep.encode(nested(1_000))), nested(1_000));
  t.regex(encodingOf(nested(1_001)), /nests deeper than 1000 levels/);
  t.regex(decodingOf(`${'['.repeat(1_001)}${']'.repeat(1_001)}`), /nests deeper than 1000 levels/);
});

test('nesting of 10,000 and 600,000 levels never overflows the stack', (t) => {
  for (const levels of [10_000, 600_000]) {
    t.regex(encodingOf(nested(levels)), /nests deeper/);
    t.regex(decodingOf(`${'['.repeat(levels)}${']'.repeat(levels)}`), /nests deeper/);
    t.regex(decodingOf(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`), /nests deeper/);
    t.regex(decodingOf('['.repeat(levels)), /nests deeper|not valid JSON/);
    t.regex(decodingOf('{"a":'.repeat(levels)), /nests deeper|not valid JSON/);
  }
});

test('brackets in strings do not count as nesting', (t) => {
  const value = { a: '[{'.repeat(5_000), b: ['\\"[', '\\', '"'], 'c"[[': 1 };
  t.deepEqual(anything.decode(anything.encode(value)), value);
});

test('a recursive schema accepts 1,000 levels', (t) => {
  interface Tree {
    child?: Tree | undefined;
  }
  const tree: z.ZodType<Tree> = z.lazy(() => z.object({ child: tree.optional() }));
  let value: Tree = {};
  for (let i = 0; i < 999; i++) value = { child: value };
  const codec = json(tree, { values: 10_000_000 });
  t.notThrows(() => codec.decode(codec.encode(value)));
});

const list = (item: string, count: number) => `[${Array(count).fill(item).join()}]`;
const limitsOf = (run: () => unknown) => {
  const { code, reason, message } = refusalOf(run);
  return `${code}, ${reason}: ${message}`;
};

test('a message above the limit of values is refused at either end, with the limit, the size and the option', (t) => {
  const codec = json(z.array(z.int()), { values: 10 });
  t.deepEqual(codec.decode(codec.encode(Array(9).fill(1))), Array(9).fill(1));
  const told =
    'resource_exhausted, too_large: request: counts as 11 values, above the limit of 10; raise it with json(schema, { values }) at both ends';
  t.is(
    limitsOf(() => encodeAs(codec, 'request', Array(10).fill(1))),
    told,
  );
  t.is(
    limitsOf(() => decodeAs(codec, 'request', bytesOf(list('1', 10)))),
    told,
  );
});

test('a message above the limit of bytes is refused at either end, with the limit, the size and the option', (t) => {
  const codec = json(z.string(), { limit: 10 });
  t.is(codec.limit, 10);
  t.is(codec.decode(codec.encode('12345678')), '12345678');
  const told =
    'resource_exhausted, too_large: request: has 11 bytes, above the limit of 10; raise it with json(schema, { limit }) at both ends';
  t.is(
    limitsOf(() => encodeAs(codec, 'request', '123456789')),
    told,
  );
  t.is(
    limitsOf(() => decodeAs(codec, 'request', bytesOf('"123456789"'))),
    told,
  );
});

test('without options a message may have 32,767 flat values in a list and 4 MiB', (t) => {
  t.notThrows(() => anything.decode(anything.encode(Array(32_767).fill(1))));
  t.regex(encodingOf(Array(32_768).fill(1)), /counts as 32769 values, above the limit of 32768/);
  t.notThrows(() => anything.decode(anything.encode('x'.repeat(4 * 1024 * 1024 - 2))));
  t.regex(
    encodingOf('x'.repeat(4 * 1024 * 1024 - 1)),
    /has 4194305 bytes, above the limit of 4194304/,
  );
});

test('invalid limits are a TypeError', (t) => {
  for (const wrong of [0, -1, 1.5, NaN, '5' as any]) {
    t.throws(() => json(z.any(), { limit: wrong }), {
      instanceOf: TypeError,
      message: /^json: limit: must be an integer above 0, got /,
    });
    t.throws(() => json(z.any(), { values: wrong }), {
      instanceOf: TypeError,
      message: /^json: values: must be an integer above 0, got /,
    });
  }
});

test('millions of values are refused before they are built or checked', (t) => {
  const checked: unknown[] = [];
  const watching: StandardSchemaV1<unknown> = {
    '~standard': {
      version: 1,
      vendor: 'own',
      validate(value) {
        checked.push(value);
        return { value };
      },
    },
  };
  const codec = json(watching, { limit: 100_000_000 });
  for (const item of ['1', '[]', '{}', '""', 'null', '[[[1]]]']) {
    t.regex(
      limitsOf(() => codec.decode(bytesOf(list(item, 1_000_000)))),
      /too_large: .* above the limit of 32768/,
      item,
    );
  }
  t.deepEqual(checked, []);
});

test('the number of values does not depend on how they are counted: in a text of 64 KiB or in a value', (t) => {
  const random = seededRandom(9);
  const counted = (content: string) =>
    Number(
      /counts as (\d+) values/.exec(
        limitsOf(() => json(z.any(), { values: 1 }).decode(bytesOf(content))),
      )?.[1],
    );
  for (let i = 0; i < 200; i++) {
    const value = [randomJson(random, 8), { [randomText(random)]: [] }];
    const content = JSON.stringify(value, null, i % 3);
    t.is(counted(content), counted(content + ' '.repeat(64 * 1024)), content);
    t.is(
      counted(content),
      Number(
        /counts as (\d+)/.exec(
          refusalOf(() => json(z.any(), { values: 1 }).encode(value)).message,
        )?.[1],
      ),
    );
  }
});

test('a deeper value counts more, and an object counts four times more', (t) => {
  const counted = (value: unknown) =>
    Number(
      /counts as (\d+) values/.exec(
        refusalOf(() => json(z.any(), { values: 1 }).encode(value)).message,
      )?.[1],
    );
  const inLists = (levels: number): unknown => (levels === 0 ? 1 : [inLists(levels - 1)]);
  t.deepEqual([[1], [[1]], [[[1]]], [[[[1]]]]].map(counted), [2, 3, 5, 7]);
  t.is(counted(inLists(17)) - counted(inLists(16)), 10);
  t.is(counted(inLists(101)) - counted(inLists(100)), 51 + 39);
  t.is(counted([]), 2);
  t.is(counted({}), 6);
  t.is(counted({ a: undefined }), 6);
  t.is(counted({ a: 1 }), 6);
  t.is(counted({ a: 1, b: 2 }), 7);
});

test('numbers that no double can hold are refused, and others are read as by JSON.parse', (t) => {
  const overflowing = ['1e999', '-1e999', '1E+309', `1${'0'.repeat(309)}`, '17976931348623159e292'];
  for (const number of overflowing)
    t.regex(
      decodingOf(`{"n":${number}}`),
      /^request\.n: expected a finite number .*got -?Infinity$/,
      number,
    );
  t.regex(decodingOf(list('1e999', 30_000)), /^request\[0\]: expected a finite number/);
  t.is(anything.decode(bytesOf('1.7976931348623157e308')), Number.MAX_VALUE);
  t.is(anything.decode(bytesOf('1e-999')), 0);
  t.true(Object.is(anything.decode(bytesOf('-0')), -0));
  t.is(anything.decode(bytesOf('9007199254740993')), 9_007_199_254_740_992);
});

/** Returns the same schema under another vendor's name, so that the codec finds all its issues. */
const whole = <S extends StandardSchemaV1>(schema: S) =>
  ({ '~standard': { ...schema['~standard'], vendor: 'own' } }) as S;

test('zod stops at the first element of a wrong type in received values, and finds all in sent ones', (t) => {
  const content = list('1', 1_000);
  for (const schema of [z.array(z.string()), mini.array(mini.string())]) {
    t.is(
      decodingWith(json(schema), JSON.parse(content)),
      'request[0]: Invalid input: expected string, received number',
    );
    t.regex(decodingWith(json(whole(schema)), JSON.parse(content)), /\(and 999 more\)$/);
    t.regex(
      refusalOf(() => json(schema as StandardSchemaV1<any>).encode(JSON.parse(content))).message,
      /\(and 999 more\)$/,
    );
  }
});

test('the values that zod accepts and returns do not depend on where validation stops', (t) => {
  const random = seededRandom(11);
  const leaf = z.union([z.string().min(1), z.number().catch(7), z.strictObject({ a: z.string() })]);
  const schemas: z.ZodType[] = [
    z.array(leaf),
    z.record(z.string().max(3), leaf),
    z
      .object({
        a: leaf.optional(),
        b: z.array(leaf).default([]),
        c: z.string().transform((text) => text.length),
      })
      .partial(),
    z.strictObject({ a: z.unknown().optional() }).and(z.looseObject({ b: z.number().optional() })),
    z.strictObject({ a: z.number().optional() }).and(z.strictObject({ b: z.number().optional() })),
    z.tuple([z.string(), z.number().optional()], leaf),
    z.discriminatedUnion('a', [
      z.object({ a: z.literal('x'), b: leaf }),
      z.object({ a: z.literal('y') }),
    ]),
    z.array(leaf).catch([]),
    z.preprocess(
      (value) => (Array.isArray(value) ? value.slice(0, 2) : value),
      z.array(z.string()),
    ),
    z.array(z.string()).refine((texts) => texts.length !== 2),
  ];
  const leaves = [
    1,
    '',
    'x',
    'yy',
    null,
    true,
    { a: 'x' },
    { a: 1 },
    { b: 1 },
    ['x', 1],
    { a: 'x', b: 'y' },
    { a: 'y' },
    [],
    {},
  ];
  const pick = () => leaves[Math.floor(random() * leaves.length)];
  const outcomeOf = (run: () => unknown) => {
    try {
      return run();
    } catch (error) {
      return (error as TransportError).code;
    }
  };
  for (let i = 0; i < 3_000; i++) {
    const draw = random();
    const length = Math.floor(random() * 4);
    const value =
      draw < 0.3
        ? pick()
        : draw < 0.6
          ? Array.from({ length }, pick)
          : Object.fromEntries(
              ['a', 'b', 'c', 'long'].slice(0, length).map((key) => [key, pick()]),
            );
    const content = bytesOf(JSON.stringify(value) + ' '.repeat(2_000));
    const schema = schemas[i % schemas.length]!;
    t.deepEqual(
      outcomeOf(() => json(schema).decode(content)),
      outcomeOf(() => json(whole(schema)).decode(content)),
      `${i % schemas.length}: ${JSON.stringify(value)}`,
    );
  }
});

test('a zod schema that throws or validates asynchronously is reported as such, however long the message', (t) => {
  const content = bytesOf(JSON.stringify('x'.repeat(2_000)));
  const late = json(z.string().refine(async () => true));
  t.is(refusalOf(() => decodeAs(late, 'request', content)).code, 'internal');
  const throwing = json(
    z.string().refine(() => {
      throw new Error('oops');
    }),
  );
  t.is(refusalOf(() => decodeAs(throwing, 'request', content)).code, 'internal');
});

test('a long message of a schema and a long path are cut', (t) => {
  const strict = json(z.strictObject({}));
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, 1]));
  t.true(decodingWith(strict, many).length < 600);
  interface Tree {
    child?: Tree | undefined;
  }
  const tree: z.ZodType<Tree> = z.lazy(() => z.object({ child: tree.optional() }));
  t.true(
    decodingWith(json(tree), JSON.parse(`${'{"child":'.repeat(150)}1${'}'.repeat(150)}`)).length <
      200,
  );
});

test('refusals of received messages have no stack trace, those of sent ones do', (t) => {
  const strings = json(z.string());
  for (const content of ['{', '1', '"\\ud800"', '1e999']) {
    const error = refusalOf(() => decodeAs(strings, 'request', bytesOf(content)));
    t.false(error.stack?.includes('\n    at '), content);
    t.false((error.cause as Error | undefined)?.stack?.includes('\n    at ') ?? false, content);
  }
  t.regex(refusalOf(() => encodeAs(strings, 'request', 1 as any)).stack ?? '', /json\.test/);
  t.true(new Error('x').stack?.includes('\n    at '), 'and others have theirs again');
});

test('bytes that are not JSON are refused', (t) => {
  for (const content of [
    '',
    ' ',
    '{',
    '[1,]',
    "{'a':1}",
    'NaN',
    'undefined',
    '01',
    '"\n"',
    '\ufeff{}',
    '{}x',
  ]) {
    t.regex(decodingOf(content), /^request: is not valid JSON/, content);
  }
});

test('bytes that are not UTF-8 are refused', (t) => {
  const bad: number[][] = [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0x80, 0x22],
    [0x22, 0xe0, 0x80, 0x80, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
    [0x22, 0xe2, 0x82],
  ];
  for (const content of bad)
    t.is(decodingOf(new Uint8Array(content)), 'request: is not valid UTF-8');
});

test('a message cut off at any byte is refused', (t) => {
  const whole = anything.encode({ a: [1, { b: 'ü' }, true], c: 'x' });
  for (let i = 0; i < whole.length; i++)
    t.is(refusalOf(() => anything.decode(whole.slice(0, i))).code, 'invalid_argument');
});

test('keys of prototypes are plain data', (t) => {
  const value = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}',
  );
  const back = anything.decode(anything.encode(value));
  t.is(JSON.stringify(back), JSON.stringify(value));
  t.true(Object.hasOwn(back, '__proto__'));
  t.is(Object.getPrototypeOf(back), Object.prototype);
  t.is(({} as any).polluted, undefined);
  const record = json(z.record(z.string(), z.number()));
  record.decode(bytesOf('{"__proto__":1,"a":2}'));
  t.is(Object.getPrototypeOf({}), Object.prototype);
});

test('an asynchronous schema is a TypeError at the sender, internal at the receiver', (t) => {
  const codec = json(z.string().refine(async () => true));
  t.throws(() => encodeAs(codec, 'request', 'x'), {
    instanceOf: TypeError,
    message: /asynchronously/,
  });
  const promising: StandardSchemaV1<string> = {
    '~standard': { version: 1, vendor: 'own', validate: () => Promise.reject(new Error('late')) },
  };
  t.throws(() => encodeAs(json(promising), 'request', 'x'), {
    instanceOf: TypeError,
    message: /^request: json: the schema validates asynchronously/,
  });
  t.is(refusalOf(() => decodeAs(json(promising), 'request', bytesOf('"x"'))).code, 'internal');
});

test('a schema that throws refuses the value', (t) => {
  const throwing: StandardSchemaV1<string> = {
    '~standard': {
      version: 1,
      vendor: 'own',
      validate: () => {
        throw new Error('oops');
      },
    },
  };
  const codec = json(throwing);
  const error = refusalOf(() => codec.encode('x'));
  t.is(error.code, 'invalid_argument');
  t.regex(error.message, /its schema threw: .*oops/);
});

test('an invalid schema is a TypeError', (t) => {
  for (const schema of [undefined, null, {}, { '~standard': { version: 2 } }, () => true])
    t.throws(() => json(schema as any), { instanceOf: TypeError, message: /Standard Schema/ });
});

test('random values are decoded as they were encoded', (t) => {
  const random = seededRandom(7);
  for (let i = 0; i < 500; i++) {
    const value = randomJson(random, 5);
    t.deepEqual(anything.decode(anything.encode(value)), JSON.parse(JSON.stringify(value)));
  }
});

test('random bytes are either refused or decoded', (t) => {
  const random = seededRandom(8);
  const alphabet = bytesOf('{}[]",:0123456789.eE+-\\u truefalsn\u00fc\n');
  for (let i = 0; i < 3_000; i++) {
    const content = Uint8Array.from(
      { length: Math.floor(random() * 30) },
      () => alphabet[Math.floor(random() * alphabet.length)]!,
    );
    try {
      anything.decode(content);
    } catch (error) {
      t.true(error instanceof TransportError && error.code === 'invalid_argument');
    }
  }
  t.pass();
});

function randomJson(random: Random, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5));
  if (kind === 0) return null;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return Math.floor(random() * 2 ** 53) - 2 ** 52;
  if (kind === 3) return (random() - 0.5) * 10 ** Math.floor(random() * 600 - 300);
  if (kind === 4) return randomText(random);
  const length = Math.floor(random() * 5);
  if (kind === 5) return Array.from({ length }, () => randomJson(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length }, () => [randomText(random), randomJson(random, depth - 1)]),
  );
}

function randomText(random: Random): string {
  const codePoints = Array.from({ length: Math.floor(random() * 8) }, () => {
    const point = Math.floor(random() * (random() < 0.5 ? 0x80 : 0x11_0000));
    return point >= 0xd800 && point <= 0xdfff ? 0x20 : point;
  });
  return String.fromCodePoint(...codePoints);
}

test('an error about a message of a peer contains no raw or long key or value', (t) => {
  const values = 10_000_000;
  const codec = json(z.strictObject({ a: z.optional(z.string()) }), { values });
  const refused = (value: unknown) =>
    t.throws(() => codec.decode(new TextEncoder().encode(JSON.stringify(value)))).message;
  for (const unfit of ['\u202e', '\u2066', '\u2028', '\u061c', '\x1b', '\n']) {
    const message = refused({ [`red${unfit}key`]: 1 });
    t.regex(message, /red/);
    t.notRegex(message, /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/u);
  }
  t.true(refused({ ['x'.repeat(39_000)]: 1 }).length < 1_100);
  let deep: unknown = 'a lone \ud800';
  for (let n = 0; n < 900; n++) deep = { ['k'.repeat(60)]: deep };
  t.true(refused(deep).length < 1_100);
  let long = z.string() as z.ZodType;
  for (let n = 0; n < 600; n++) long = z.record(z.string(), long);
  let value: unknown = 1;
  for (let n = 0; n < 600; n++) value = { ['k'.repeat(60)]: value };
  const message = t.throws(() =>
    json(long, { values }).decode(new TextEncoder().encode(JSON.stringify(value))),
  ).message;
  t.true(message.length < 1_100);
  t.regex(message, /expected string/);
});
