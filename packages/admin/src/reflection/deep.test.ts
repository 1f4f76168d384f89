// Tests of descriptions and values that are nested so deeply that a recursive walk would overflow
// the stack.

import test from 'ava';
import {
  asyncApi,
  compareProtocols,
  jsonSchemaBundle,
  type ProtocolDescription,
  parseProtocolDescription,
  reflectedProtocol,
} from '../index.reflection.ts';

const nested = (levels: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown => {
  let value = inner;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
};

const described = (levels: number, wrap: (inner: unknown) => unknown, leaf: unknown) =>
  ({
    name: 'deep',
    version: 1,
    accepts: [],
    channel: 0x20,
    priority: 1,
    ordered: false,
    methods: [
      {
        name: 'm',
        id: 1,
        kind: 'oneway',
        request: { codec: 'json', schema: { enum: [nested(levels, wrap, leaf)] } },
      },
    ],
  }) as unknown as ProtocolDescription;

const wraps: Record<string, (inner: unknown) => unknown> = {
  properties: (inner) => ({ properties: { a: inner } }),
  items: (inner) => ({ items: inner }),
  alternatives: (inner) => ({ anyOf: [inner] }),
  lists: (inner) => [inner],
};

for (const [name, wrap] of Object.entries(wraps))
  for (const levels of [5_000, 100_000])
    test(`a schema of ${levels} levels of ${name} is refused by every reader`, async (t) => {
      const refused = { code: 'invalid_argument', message: /"deep": nests deeper than 500 levels/ };
      const [deep, other] = ['a', 'b'].map((leaf) => described(levels, wrap, leaf));
      await t.throwsAsync(reflectedProtocol(deep!), refused);
      await t.throwsAsync(compareProtocols([deep!], [other!]), refused);
      t.throws(() => parseProtocolDescription(deep), refused);
      t.throws(() => asyncApi([deep!]), refused);
      t.throws(() => jsonSchemaBundle([deep!]), refused);
    });

test('schemas of 100 levels are read', async (t) => {
  const [one, other] = ['a', 'b'].map((leaf) => described(100, wraps['properties']!, leaf));
  await reflectedProtocol(parseProtocolDescription(one));
  t.true((await compareProtocols([one!], [other!])).length > 0);
  asyncApi([one!]);
  jsonSchemaBundle([one!]);
});

test('a value that is deeper than its codec allows is refused before its fields are looked up', async (t) => {
  const tree = { type: 'object', properties: { a: { $ref: '#' } } };
  const description = described(0, (inner) => inner, '');
  const { request } = (
    await reflectedProtocol({
      ...description,
      methods: [{ ...description.methods[0]!, request: { codec: 'json', schema: tree } }],
    })
  ).methods['m']!;
  t.throws(() => request.encode(nested(100_000, (a) => ({ a }), {})), {
    code: 'invalid_argument',
    message: /nests deeper than 1000 levels/,
  });
});
