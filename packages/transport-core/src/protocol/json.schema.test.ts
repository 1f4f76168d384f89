// Tests of the JSON codec with schemas: their outputs, refusals, and libraries other than zod.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import test from 'ava';
import { z } from 'zod';
import * as mini from 'zod/mini';
import type { TransportError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import { type Codec, decodeAs, encodeAs } from './codec.ts';
import { json } from './json.ts';
import { bytesOf, schemaOf } from './testing/any-json.ts';
import { refusalOf } from './testing/refused.ts';

test('the receiver gets the output of the schema', (t) => {
  const codec = json(
    z.object({ note: z.string().default('none'), size: z.string().transform((s) => s.length) }),
  );
  t.deepEqual(codec.decode(codec.encode({ size: 'four' })), { note: 'none', size: 4 });
});

test('zod/mini and any other Standard Schema work', (t) => {
  t.is(json(mini.object({ a: mini.number() })).decode(bytesOf('{"a":1}')).a, 1);
  const even = schemaOf((value) =>
    Number(value) % 2 === 0 ? { value } : { issues: [{ message: 'is odd' }] },
  );
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

const decodingWith = (codec: Codec<unknown, any>, value: unknown) =>
  refusalOf(() => decodeAs(codec, 'request', bytesOf(JSON.stringify(value)))).message;

const list = (item: string, count: number) => `[${Array(count).fill(item).join()}]`;

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

test('an asynchronous schema is a TypeError at the sender, internal at the receiver', (t) => {
  const codec = json(z.string().refine(async () => true));
  t.throws(() => encodeAs(codec, 'request', 'x'), {
    instanceOf: TypeError,
    message: /asynchronously/,
  });
  const promising = schemaOf(() => Promise.reject(new Error('late')));
  t.throws(() => encodeAs(json(promising), 'request', 'x'), {
    instanceOf: TypeError,
    message: /^request: json: the schema validates asynchronously/,
  });
  t.is(refusalOf(() => decodeAs(json(promising), 'request', bytesOf('"x"'))).code, 'internal');
});

test('a schema that throws refuses the value', (t) => {
  const codec = json(
    schemaOf(() => {
      throw new Error('oops');
    }),
  );
  const error = refusalOf(() => codec.encode('x'));
  t.is(error.code, 'invalid_argument');
  t.regex(error.message, /its schema threw: .*oops/);
});

test('an invalid schema is a TypeError', (t) => {
  for (const schema of [undefined, null, {}, { '~standard': { version: 2 } }, () => true])
    t.throws(() => json(schema as any), { instanceOf: TypeError, message: /Standard Schema/ });
});
