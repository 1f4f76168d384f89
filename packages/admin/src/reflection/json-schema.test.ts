// Tests of JSON Schemas of zod, zod/mini and other libraries.

import test from 'ava';
import { z } from 'zod';
import * as mini from 'zod/mini';
import { jsonSchemaOf } from './json-schema.ts';

const schema = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'number', minimum: 0 } },
  required: ['name'],
};

test('schemas of zod and zod/mini are described by their input', (t) => {
  const transformed = z.object({ name: z.string(), age: z.number().min(0).optional() });
  t.deepEqual(jsonSchemaOf(transformed), schema);
  t.deepEqual(jsonSchemaOf(transformed.transform(({ name }) => name)), schema);
  const age = mini.optional(mini.number().check(mini.minimum(0)));
  t.deepEqual(jsonSchemaOf(mini.object({ name: mini.string(), age })), schema);
});

test('a schema that contains itself has references', (t) => {
  const tree = z.object({
    get children() {
      return z.array(tree);
    },
  });
  t.deepEqual(jsonSchemaOf(tree), {
    type: 'object',
    properties: { children: { type: 'array', items: { $ref: '#' } } },
    required: ['children'],
  });
});

test('a schema that JSON Schema cannot express, or of another library, allows everything', (t) => {
  t.deepEqual(jsonSchemaOf(z.date()), {});
  t.deepEqual(jsonSchemaOf(mini.date()), {});
  t.deepEqual(jsonSchemaOf({ '~standard': { version: 1, vendor: 'other' } }), {});
  for (const value of [undefined, null, 5, {}, { '~standard': undefined }])
    t.deepEqual(jsonSchemaOf(value), {});
});

test('a library that offers its JSON Schema is asked for it', (t) => {
  const made = jsonSchemaOf({
    '~standard': {
      vendor: 'other',
      jsonSchema: { input: (options: unknown) => ({ $schema: 'x', options }) },
    },
  });
  t.deepEqual(made, { options: { target: 'draft-2020-12' } });
});
