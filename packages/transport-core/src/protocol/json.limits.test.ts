// Tests of the limits of the JSON codec: nesting, values and bytes.

import test from 'ava';
import { z } from 'zod';
import { seededRandom } from '../random.ts';
import { decodeAs, encodeAs } from './codec.ts';
import { json } from './json.ts';
import { anything, bytesOf, decodingOf, encodingOf, schemaOf } from './testing/any-json.ts';
import { randomJson, randomText } from './testing/random-json.ts';
import { refusalOf, toldBy } from './testing/refused.ts';

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

const strict = json(z.any(), { values: 1 });
/** Returns the number of values that a refusal names. */
const countedBy = (run: () => unknown) =>
  Number(/counts as (\d+) values/.exec(refusalOf(run).message)?.[1]);

test('a message above the limit of values is refused at either end, with the limit, the size and the option', (t) => {
  const codec = json(z.array(z.int()), { values: 10 });
  t.deepEqual(codec.decode(codec.encode(Array(9).fill(1))), Array(9).fill(1));
  const told =
    'resource_exhausted, too_large: request: counts as 11 values, above the limit of 10; raise it with json(schema, { values }) at both ends';
  for (const run of [
    () => encodeAs(codec, 'request', Array(10).fill(1)),
    () => decodeAs(codec, 'request', bytesOf(list('1', 10))),
  ])
    t.is(toldBy(run), told);
});

test('a message above the limit of bytes is refused at either end, with the limit, the size and the option', (t) => {
  const codec = json(z.string(), { limit: 10 });
  t.is(codec.limit, 10);
  t.is(codec.decode(codec.encode('12345678')), '12345678');
  const told =
    'resource_exhausted, too_large: request: has 11 bytes, above the limit of 10; raise it with json(schema, { limit }) at both ends';
  for (const run of [
    () => encodeAs(codec, 'request', '123456789'),
    () => decodeAs(codec, 'request', bytesOf('"123456789"')),
  ])
    t.is(toldBy(run), told);
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
      message: /^json: limit: must be an integer from 1 to 9007199254740991, got /,
    });
    t.throws(() => json(z.any(), { values: wrong }), {
      instanceOf: TypeError,
      message: /^json: values: must be an integer from 1 to 9007199254740991, got /,
    });
  }
});

test('millions of values are refused before they are built or checked', (t) => {
  const checked: unknown[] = [];
  const watching = schemaOf((value) => {
    checked.push(value);
    return { value };
  });
  const codec = json(watching, { limit: 100_000_000 });
  for (const item of ['1', '[]', '{}', '""', 'null', '[[[1]]]']) {
    t.regex(
      toldBy(() => codec.decode(bytesOf(list(item, 1_000_000)))),
      /too_large: .* above the limit of 32768/,
      item,
    );
  }
  t.deepEqual(checked, []);
});

test('the number of values does not depend on how they are counted: in a text of 64 KiB or in a value', (t) => {
  const random = seededRandom(9);
  const counted = (content: string) => countedBy(() => strict.decode(bytesOf(content)));
  for (let i = 0; i < 200; i++) {
    const value = [randomJson(random, 8), { [randomText(random)]: [] }];
    const content = JSON.stringify(value, null, i % 3);
    t.is(counted(content), counted(content + ' '.repeat(64 * 1024)), content);
    t.is(
      counted(content),
      countedBy(() => strict.encode(value)),
    );
  }
});

test('a deeper value counts more, and an object counts four times more', (t) => {
  const counted = (value: unknown) => countedBy(() => strict.encode(value));
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
