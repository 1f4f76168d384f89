// Tests of the JSON codec: values, refused values, and bytes that are not a message.

import test from 'ava';
import { z } from 'zod';
import { TransportError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import { decodeAs, encodeAs } from './codec.ts';
import { json } from './json.ts';
import { anything, bytesOf, decodingOf, encodingOf } from './testing/any-json.ts';
import { randomJson } from './testing/random-json.ts';
import { refusalOf } from './testing/refused.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

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

test('NaN is refused with its path', (t) => {
  const codec = json(z.any());
  t.is(
    refusalOf(() => encodeAs(codec, 'request', { entries: [1, 2, 3, { term: NaN }] })).message,
    'request.entries[3].term: expected a finite number (from about −1.8e308 to 1.8e308), got NaN',
  );
});

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

test('the key of a member that is left out may be any text', (t) => {
  t.is(text(anything.encode({ 'k\ud800': undefined, a: '\\ud' })), '{"a":"\\\\ud"}');
});

test('a value that is JSON only when it is read again is refused with a text', (t) => {
  let reads = 0;
  const value = {
    get n() {
      return reads++ === 0 ? NaN : 1;
    },
  };
  t.regex(encodingOf(value), /^request: is not JSON/);
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

const list = (item: string, count: number) => `[${Array(count).fill(item).join()}]`;

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
  const contents = '| |{|[1,]|{\'a\':1}|NaN|undefined|01|"\n"|\ufeff{}|{}x'.split('|');
  for (const content of contents)
    t.regex(decodingOf(content), /^request: is not valid JSON/, content);
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

const protoTexts = [
  '{"__proto__":{"polluted":1}}',
  '[{"a":{"__proto__":null}}]',
  '{"\\u005f_proto__":1}',
  '{"__pr\\u006Fto__":1}',
  '{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f":1}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"c\\u006fnstructor":{"prot\\u006ftype":1}}',
];

test('keys that reach a prototype are refused in any spelling, by both ends', (t) => {
  for (const text of protoTexts) {
    const { code, message } = refusalOf(() => anything.decode(bytesOf(text)));
    t.is(code, 'invalid_argument', text);
    t.regex(message, /the key (__proto__|constructor\.prototype) .*\{ protoKeys: true \}/);
    t.is(refusalOf(() => anything.encode(JSON.parse(text))).message, message);
  }
  t.regex(decodingOf(bytesOf('{"a":[{"__proto__":1}]}')), /^request\.a\[0\]: the key __proto__ /);
});

test('keys and texts that only resemble those of prototypes are plain data', (t) => {
  for (const text of [
    '{"proto":1,"__proto":1,"prototype":{"constructor":1}}',
    '{"constructor":"x"}',
    '{"constructor":[{"prototype":1}]}',
    '{"constructor":{"name":1},"toString":"x"}',
    '["__proto__","\\u005f_proto__",{"a":"\\"__proto__\\":1"}]',
  ])
    t.deepEqual(anything.decode(bytesOf(text)), JSON.parse(text));
});

test('with protoKeys, keys of prototypes are plain data', (t) => {
  const any = json(z.any(), { protoKeys: true });
  const value = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}',
  );
  const back = any.decode(any.encode(value));
  t.is(JSON.stringify(back), JSON.stringify(value));
  t.true(Object.hasOwn(back, '__proto__'));
  t.is(Object.getPrototypeOf(back), Object.prototype);
  t.is(({} as any).polluted, undefined);
  t.is(refusalOf(() => any.decode(bytesOf('{"__proto__":1e999}'))).code, 'invalid_argument');
  t.throws(() => json(z.any(), { protoKeys: 1 as never }), { message: /protoKeys.*true or false/ });
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
