// Tests of the exports as JSON Schema and AsyncAPI.

import { bytes, defineProtocol, json } from '@trunkline/transport-core';
import test from 'ava';
import { z } from 'zod';
import { asyncApi, describeProtocol, jsonSchemaBundle } from '../../index.reflection.ts';
import { numbers, shop } from '../testing/fixture.ts';

const tree = z.object({
  get children() {
    return z.array(tree);
  },
});
const trees = defineProtocol({
  name: 'trees',
  channel: 0x22,
  methods: {
    'plant it': {
      id: 1,
      request: json(z.object({ tree, pair: z.tuple([z.string(), z.number()]) })),
    },
    plant_it: { id: 2, request: bytes, response: bytes, doc: 'Plants a tree.' },
  },
});
const described = Promise.all([numbers, shop, trees].map(describeProtocol));

/** Returns the places of all references in a value. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' ? [inner as string] : references(inner),
  );
}

/** Returns the value at the place of a reference. */
function at(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce((value: any, key) => value?.[key], document);
}

test('a bundle has a schema for each message, whose references are within the bundle', async (t) => {
  const bundle = jsonSchemaBundle(await described) as any;
  t.is(bundle.$schema, 'https://json-schema.org/draft/2020-12/schema');
  t.deepEqual(Object.keys(bundle.$defs).slice(0, 4), [
    'numbers.double.request',
    'numbers.double.response',
    'numbers.note.request',
    'numbers.sum.request',
  ]);
  t.deepEqual(bundle.$defs['numbers.echo.upload'], { type: 'string', contentEncoding: 'base64' });
  t.deepEqual(bundle.$defs['shop.order.request'], { $comment: 'codec: protobuf(shop.Order)' });
  t.true('trees.plant_it.request' in bundle.$defs && 'trees.plant_it.request_2' in bundle.$defs);
  t.true(references(bundle).length > 0);
  for (const reference of references(bundle))
    t.is(typeof at(bundle, reference), 'object', reference);
});

test('an AsyncAPI document has an operation for each method, and its references exist', async (t) => {
  const document = asyncApi(await described, {
    title: 'Shop',
    servers: ['tcp://10.0.0.1:7000', 'wss://example.com/rpc'],
  }) as any;
  t.is(document.asyncapi, '3.0.0');
  t.deepEqual(document.info, { title: 'Shop', version: '1.0.0' });
  t.deepEqual(document.servers, {
    '10.0.0.1_7000': { host: '10.0.0.1:7000', protocol: 'tcp' },
    'example.com': { host: 'example.com', protocol: 'wss', pathname: '/rpc' },
  });
  t.deepEqual(document.operations['numbers.double'], {
    action: 'receive',
    channel: { $ref: '#/channels/numbers.double' },
    description: 'Returns twice the value.',
    messages: [{ $ref: '#/channels/numbers.double/messages/request' }],
    reply: {
      channel: { $ref: '#/channels/numbers.double' },
      messages: [{ $ref: '#/channels/numbers.double/messages/response' }],
    },
    'x-trunkline': { id: 1, kind: 'unary', timeout: 5_000 },
  });
  t.false('reply' in document.operations['numbers.note']);
  t.is(document.components.messages['shop.order.request'].contentType, 'application/x-protobuf');
  for (const reference of references(document))
    t.is(typeof at(document, reference), 'object', reference);
  const pair = document.components.schemas['trees.plant_it.request'].properties.pair;
  t.deepEqual(pair.items, [{ type: 'string' }, { type: 'number' }]);
  for (const name of Object.keys(document.channels)) t.regex(name, /^[A-Za-z0-9.\-_]+$/);
});
