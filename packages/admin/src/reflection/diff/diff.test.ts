// Tests of comparisons: each rule with a change that it finds, and the programs that it breaks.

import { bytes, type Codec, defineProtocol, json, limited } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import test from 'ava';
import protobufjs from 'protobufjs';
import { z } from 'zod';
import { compareProtocols, describeProtocol, isBreakingChange } from '../../index.reflection.ts';

const define = (methods: object, changes: object = {}) =>
  defineProtocol({ name: 'p', channel: 0x20, methods, ...changes } as any);
const text = json(z.string());

/** Compares two definitions, and returns a line for each change. */
async function lines(
  before: ReturnType<typeof define>,
  after: ReturnType<typeof define>,
): Promise<string[]> {
  const changes = await compareProtocols(
    [await describeProtocol(before)],
    [await describeProtocol(after)],
  );
  return changes.map(
    ({ rule, path, breaks }) => `${rule} ${path}${breaks.length > 0 ? ` breaks ${breaks}` : ''}`,
  );
}

const m = { id: 1, request: text, response: text };

test('a protocol and itself have no changes', async (t) => {
  t.deepEqual(await lines(define({ m }), define({ m })), []);
});

test('protocols are removed and added', async (t) => {
  const [p, q] = await Promise.all(
    [define({ m }), define({ m }, { name: 'q' })].map(describeProtocol),
  );
  const changes = await compareProtocols([p!], [q!]);
  t.deepEqual(
    changes.map(({ rule, path }) => [rule, path]),
    [
      ['PROTOCOL_REMOVED', 'p'],
      ['PROTOCOL_ADDED', 'q'],
    ],
  );
  t.deepEqual(changes.map(isBreakingChange), [true, false]);
  t.is(changes[0]?.text, 'the protocol was removed');
});

const protocols: [title: string, before: object, after: object, expected: string[]][] = [
  ['another channel', {}, { channel: 0x21 }, ['CHANNEL_CHANGED p breaks callers,servers']],
  ['a new version that accepts the old one', {}, { version: 2, accepts: [1] }, []],
  ['a new version alone', {}, { version: 2 }, ['VERSION_DROPPED p breaks callers,servers']],
  ['an order', {}, { ordered: true }, ['ORDERED_CHANGED p']],
];
for (const [title, before, after, expected] of protocols)
  test(`a protocol with ${title}`, async (t) => {
    t.deepEqual(await lines(define({ m }, before), define({ m }, after)), expected);
  });

const both = 'breaks callers,servers';
const methods: [title: string, before: object, after: object, expected: string[]][] = [
  ['removed', { m }, {}, ['METHOD_REMOVED p/m breaks callers']],
  ['added', {}, { m }, ['METHOD_ADDED p/m']],
  ['renamed', { m }, { n: m }, ['METHOD_RENAMED p/m']],
  ['given another id', { m }, { m: { ...m, id: 2 } }, [`METHOD_ID_CHANGED p/m ${both}`]],
  [
    'replaced by another under its id',
    { m },
    { n: { ...m, request: bytes } },
    [`METHOD_ID_REUSED p/m ${both}`],
  ],
  [
    'exchanged with another',
    { m, n: { ...m, id: 2 } },
    { n: m, m: { ...m, id: 2 } },
    [
      `METHOD_ID_CHANGED p/m ${both}`,
      `METHOD_ID_REUSED p/m ${both}`,
      `METHOD_ID_CHANGED p/n ${both}`,
      `METHOD_ID_REUSED p/n ${both}`,
    ],
  ],
  ['made a one-way', { m }, { m: { id: 1, request: text } }, [`METHOD_KIND_CHANGED p/m ${both}`]],
  [
    'given another codec',
    { m },
    { m: { ...m, response: bytes } },
    [`CODEC_CHANGED p/m response ${both}`],
  ],
  [
    'given a lower limit',
    { m: { ...m, request: limited(bytes, 10) } },
    { m: { ...m, request: limited(bytes, 5) } },
    ['LIMIT_LOWERED p/m request breaks callers'],
  ],
  [
    'given a higher limit of answers',
    { m: { ...m, response: limited(bytes, 10) } },
    { m: { ...m, response: limited(bytes, 50) } },
    ['LIMIT_RAISED p/m response breaks callers'],
  ],
];
for (const [title, before, after, expected] of methods)
  test(`a method that is ${title}`, async (t) => {
    t.deepEqual(await lines(define(before), define(after)), expected);
  });

const { object, string, number } = z;
const empty = object({});
const required = object({ a: string() });
const optional = object({ a: string().optional() });
const values: [title: string, before: z.ZodType, after: z.ZodType, expected: string[]][] = [
  ['an added optional field', empty, optional, ['FIELD_ADDED .a']],
  ['an added required field', empty, required, ['REQUIRED_FIELD_ADDED .a breaks callers']],
  [
    'an optional field added to a strict object',
    z.strictObject({}),
    z.strictObject({ a: string().optional() }),
    ['FIELD_ADDED .a breaks servers'],
  ],
  ['a removed optional field', optional, empty, ['FIELD_REMOVED .a']],
  ['a removed required field', required, empty, ['FIELD_REMOVED .a breaks servers']],
  ['a field made required', optional, required, ['FIELD_MADE_REQUIRED .a breaks callers']],
  ['a field made optional', required, optional, ['FIELD_MADE_OPTIONAL .a breaks servers']],
  [
    'another type',
    object({ a: z.array(string()) }),
    object({ a: z.array(number()) }),
    [`FIELD_TYPE_CHANGED .a[] ${both}`],
  ],
  [
    'an integer that becomes a number',
    z.int(),
    number(),
    [
      'FIELD_TYPE_CHANGED  breaks servers',
      'CONSTRAINT_LOOSENED  breaks servers',
      'CONSTRAINT_LOOSENED  breaks servers',
    ],
  ],
  ['an added enum value', z.enum(['a']), z.enum(['a', 'b']), ['ENUM_VALUE_ADDED  breaks servers']],
  [
    'a removed enum value',
    z.enum(['a', 'b']),
    z.enum(['a']),
    ['ENUM_VALUE_REMOVED  breaks callers'],
  ],
  ['a lower maximum', string().max(5), string().max(4), ['CONSTRAINT_TIGHTENED  breaks callers']],
  ['a lower minimum', string().min(5), string().min(4), ['CONSTRAINT_LOOSENED  breaks servers']],
  ['another pattern', string().regex(/a/), string().regex(/b/), [`CONSTRAINT_CHANGED  ${both}`]],
  [
    'a field that becomes nullable',
    required,
    object({ a: string().nullable() }),
    ['FIELD_TYPE_CHANGED .a breaks servers'],
  ],
  [
    'an added alternative',
    z.union([number(), required]),
    z.union([number(), required, object({ b: string() })]),
    ['ALTERNATIVES_CHANGED  breaks servers'],
  ],
  [
    'removed alternatives',
    z.union([z.array(string()), required, object({ b: string() })]),
    required,
    ['ALTERNATIVES_CHANGED  breaks callers'],
  ],
  [
    'a change within an alternative',
    z.union([number(), required]),
    z.union([number(), object({ a: string(), b: string() })]),
    ['REQUIRED_FIELD_ADDED .b breaks callers'],
  ],
  ['a strict object', empty, z.strictObject({}), ['CONSTRAINT_TIGHTENED  breaks callers']],
  [
    'values of a record',
    z.record(string(), string()),
    z.record(string(), number()),
    [`FIELD_TYPE_CHANGED [*] ${both}`],
  ],
];
for (const [title, before, after, expected] of values) {
  test(`a request with ${title}`, async (t) => {
    const of = (schema: z.ZodType) => define({ m: { id: 1, request: json(schema) } });
    const found = (await lines(of(before), of(after))).map((line) =>
      line.replace('p/m request', ''),
    );
    t.deepEqual(found, expected);
  });
}

test('a change of answers breaks the other end than one of requests', async (t) => {
  const of = (schema: z.ZodType) => define({ m: { ...m, response: json(schema) } });
  t.deepEqual(await lines(of(empty), of(required)), [
    'REQUIRED_FIELD_ADDED p/m response.a breaks servers',
  ]);
});

test('schemas that contain themselves are compared', async (t) => {
  const tree = (value: z.ZodType) => {
    const schema: z.ZodType = object({
      value,
      get children() {
        return z.array(schema);
      },
    });
    return define({ m: { id: 1, request: json(schema) } });
  };
  t.deepEqual(await lines(tree(string()), tree(number())), [
    `FIELD_TYPE_CHANGED p/m request.value ${both}`,
  ]);
});

test('a malformed reference in a schema allows every value', async (t) => {
  const described = await describeProtocol(define({ m }));
  const of = ($ref: string) =>
    JSON.parse(JSON.stringify(described).replace('"type":"string"', `"$ref":"${$ref}"`));
  const [change] = await compareProtocols([described], [of('#/%E0%A4%A')]);
  t.is(change?.rule, 'FIELD_TYPE_CHANGED');
});

const messages: [title: string, before: string, after: string, expected: string[]][] = [
  ['an added field', '', 'string a = 1;', ['FIELD_ADDED .a']],
  ['a removed field', 'string a = 1;', '', ['FIELD_REMOVED .a']],
  ['a renamed field', 'string a = 1;', 'string b = 1;', ['FIELD_RENAMED .a']],
  ['a reused number', 'string a = 1;', 'int32 b = 1;', [`FIELD_ID_REUSED .a ${both}`]],
  ['another type', 'string a = 1;', 'double a = 1;', [`FIELD_TYPE_CHANGED .a ${both}`]],
  ['a compatible type', 'int32 a = 1;', 'uint64 a = 1;', []],
  [
    'a field that is repeated now',
    'string a = 1;',
    'repeated string a = 1;',
    [`FIELD_CARDINALITY_CHANGED .a ${both}`],
  ],
  [
    'a field in a oneof',
    'string a = 1;',
    'oneof o { string a = 1; }',
    [`FIELD_ONEOF_CHANGED .a ${both}`],
  ],
  [
    'a required field',
    'syntax = "proto2"; message M { }',
    'syntax = "proto2"; message M { required string a = 1; }',
    ['REQUIRED_FIELD_ADDED .a breaks callers'],
  ],
  [
    'a change within a message, and in an enum',
    'syntax = "proto3"; enum E { A = 0; } message I { E e = 1; I i = 2; } message M { I i = 1; }',
    'syntax = "proto3"; enum E { A = 0; B = 1; } message I { E e = 1; I i = 2; bool x = 3; } message M { I i = 1; }',
    ['ENUM_VALUE_ADDED .i.e', 'FIELD_ADDED .i.x'],
  ],
  [
    'one of two fields of a message that has another message now',
    'message A { string s = 1; } A x = 1; A y = 2;',
    'message A { string s = 1; } message B { int32 s = 1; } A x = 1; B y = 2;',
    [`FIELD_TYPE_CHANGED .y.s ${both}`],
  ],
];
for (const [title, before, after, expected] of messages) {
  test(`a protobuf request with ${title}`, async (t) => {
    const of = (fields: string) => {
      const isWhole = fields.startsWith('syntax');
      const source = isWhole ? fields : `syntax = "proto3"; message M { ${fields} }`;
      const codec: Codec<any, any> = protobuf(protobufjs.parse(source).root.lookupType('M'));
      return define({ m: { id: 1, request: codec } });
    };
    const found = (await lines(of(before), of(after))).map((line) =>
      line.replace('p/m request', ''),
    );
    t.deepEqual(found, expected);
  });
}
