// Tests of the schemas that json() refuses, because JSON has none of their values.

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import test from 'ava';
import * as v from 'valibot';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { json } from './json.ts';

const at = new Date(0);

const refused: [message: RegExp, ...schemas: StandardSchemaV1[]][] = [
  [
    /^json: value: JSON has no value of the kind 'void'; for no content, use the codec `empty`$/,
    z.void(),
    mini.void(),
    v.void(),
  ],
  [/value: .*'undefined'; for no content, use/, z.undefined(), v.undefined(), type('undefined')],
  [
    /value: .*'date'; use a string such as z\.iso\.datetime\(\)$/,
    z.date(),
    mini.date(),
    v.date(),
    type('Date'),
    z.date().min(at).optional(),
    z.date().readonly(),
    z.date().transform(String),
    v.pipe(v.date(), v.transform(String)),
    v.optional(v.date()),
    z.date().default(at),
  ],
  [/value: .*'bigint'; use strings, lists and objects$/, z.int64(), v.bigint(), type('bigint')],
  [
    /value: .*'map'; use strings, lists/,
    z.map(z.string(), z.string()),
    v.map(v.string(), v.any()),
    type('Map'),
  ],
  [/value: .*'set'; use strings, lists/, z.set(z.string()), v.set(v.string())],
  [/value: .*'symbol'; use/, z.symbol(), v.symbol(), type('symbol')],
  [/value: .*'(bigint|date)'/, z.union([z.bigint(), z.date()]), v.union([v.date(), v.bigint()])],
  [
    /value\.list\[\]\.at: .*'date'/,
    z.object({ list: z.array(z.object({ at: z.date() })) }),
    mini.object({ list: mini.array(mini.object({ at: mini.date() })) }),
    v.object({ list: v.array(v.strictObject({ at: v.date() })) }),
  ],
];
for (const [message, ...schemas] of refused)
  for (const [i, schema] of schemas.entries())
    test(`${message} is the error of schema ${i}`, (t) => {
      t.throws(() => json(schema), { instanceOf: TypeError, message });
    });

test('schemas of values that JSON has, in any form, are accepted', (t) => {
  const date = z.codec(z.iso.datetime(), z.date(), {
    decode: (text) => new Date(text),
    encode: (value) => value.toISOString(),
  });
  const tree = z.object({
    get left() {
      return z.optional(tree);
    },
    get right(): typeof later {
      return later;
    },
  });
  const accepted: StandardSchemaV1[] = [
    date,
    z.coerce.date(),
    z.null(),
    z.any(),
    z.unknown(),
    z.date().nullable(),
    z.date().catch(at),
    z.union([z.date(), z.string()]),
    z.preprocess(String, z.date()),
    z.lazy(() => z.date()),
    z.instanceof(Date),
    z.object({ a: z.date().optional(), b: z.date().default(at), c: z.undefined().optional() }),
    tree,
    v.nullable(v.date()),
    v.fallback(v.date(), at),
    v.pipe(v.string(), v.transform(Number)),
    v.object({ a: v.optional(v.date()), b: v.nullish(v.date()), c: v.exactOptional(v.date()) }),
    type("'date'"),
    type({ at: 'string.date' }),
    type('Date | null'),
  ];
  for (const [i, schema] of accepted.entries()) t.notThrows(() => json(schema), `schema ${i}`);
  const later = z.object({ leaf: z.string() });
});
