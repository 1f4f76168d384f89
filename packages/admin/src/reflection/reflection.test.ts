// Tests of reflection between two nodes: lists, descriptions, access, and calls of every kind.

import {
  createTransport,
  defineProtocol,
  empty,
  type Protocol,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import test from 'ava';
import { createReflector, reflectedProtocol, serveReflection } from '../index.reflection.ts';
import { backends, collect, fixture, numbers } from './testing/fixture.ts';

test('a node lists its protocols, also those that are mounted later', async (t) => {
  const { node, reflector, address } = await fixture(t);
  const names = async () => (await reflector.list(address)).map(({ name }) => name);
  t.deepEqual(await names(), ['numbers', 'shop', 'trunkline.reflection']);
  const later = node.mount(defineProtocol({ name: 'later', channel: 0x30, methods: {} }));
  t.deepEqual(await names(), ['numbers', 'shop', 'trunkline.reflection', 'later']);
  await later.close();
  t.deepEqual(await names(), ['numbers', 'shop', 'trunkline.reflection']);
  t.deepEqual((await reflector.list(address))[0], {
    name: 'numbers',
    version: 2,
    accepts: [1],
    channel: 0x20,
    doc: 'Computes.',
  });
});

test('a node describes methods, timeouts, limits and schemas of a protocol', async (t) => {
  const { reflector, address } = await fixture(t);
  const { methods, priority, ordered } = await reflector.describe(address, 'numbers');
  t.deepEqual([priority, ordered], [10, false]);
  t.deepEqual(
    methods.map(({ name, id, kind, timeout, doc }) => [name, id, kind, timeout, doc]),
    [
      ['double', 1, 'unary', 5_000, 'Returns twice the value.'],
      ['note', 2, 'oneway', undefined, undefined],
      ['sum', 3, 'upload', undefined, undefined],
      ['count', 4, 'download', 'none', undefined],
      ['echo', 5, 'duplex', undefined, undefined],
    ],
  );
  const [double, note, , , echo] = methods;
  t.deepEqual(double?.request, {
    codec: 'json',
    limit: 4_194_304,
    schema: {
      type: 'object',
      properties: { value: { type: 'number' }, unit: { type: 'string' } },
      required: ['value'],
    },
  });
  t.deepEqual(note?.request, {
    codec: 'json',
    limit: 100,
    schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  });
  t.deepEqual(echo?.upload, { codec: 'bytes' });
});

test('a description of a protocol that the node lacks is not found', async (t) => {
  const { reflector, address } = await fixture(t);
  await t.throwsAsync(reflector.describe(address, 'nothing\n'), {
    code: 'not_found',
    message: "this node has no protocol 'nothing '; it has numbers, shop, trunkline.reflection",
  });
});

test('a node does not describe itself unless it serves reflection', async (t) => {
  const node = createTransport('inmem://silent', { protocol: numbers, backends });
  await node.listen();
  const tool = createTransport({ protocol: numbers, backends });
  t.teardown(() => Promise.all([tool.close(), node.close()]));
  await t.throwsAsync(createReflector(tool).list('inmem://silent'), { code: 'unimplemented' });
});

test('the rule allow refuses tools', async (t) => {
  const asked: string[] = [];
  const { reflector, address } = await fixture(t, {
    allow: (_, method, { token }) => {
      asked.push(method);
      return token === 'secret';
    },
  });
  await t.throwsAsync(reflector.list(address), { code: 'permission_denied' });
  await t.throwsAsync(reflector.describe(address, 'numbers'), { code: 'permission_denied' });
  const metadata = { token: 'secret' };
  t.is((await reflector.list(address, { metadata })).length, 3);
  t.deepEqual(asked, ['list', 'describe', 'list']);
});

test('a node that serves reflection may ask others, too', async (t) => {
  const { tool, address } = await fixture(t);
  const other = createTransport('inmem://asks', { protocol: numbers, backends });
  t.teardown(() => other.close());
  const reflection = serveReflection(other);
  t.is((await reflection.list(address)).length, 3);
  t.throws(() => createReflector(other), { instanceOf: TypeError });
  t.throws(() => serveReflection(tool), { instanceOf: TypeError });
  await reflection.close();
  t.notThrows(() => createReflector(other));
});

type AnySend = Transport<Protocol> & {
  send(target: string, method: string, request: unknown, options?: object): Promise<any>;
};

test('a tool calls methods of every kind from their description alone', async (t) => {
  const { tool, reflector, notes, address } = await fixture(t);
  const protocol = await reflectedProtocol(await reflector.describe(address, 'numbers'));
  const mount = tool.mount(protocol) as AnySend;
  t.deepEqual(await mount.send(address, 'double', { value: 21 }), { value: 42 });
  await mount.send(address, 'note', { text: 'hello' });
  const upload = async function* () {
    for (const value of [1, 2, 3]) yield value;
  };
  t.is(await mount.send(address, 'sum', {}, { upload: upload() }), 6);
  t.deepEqual(await collect(await mount.send(address, 'count', 3)), [1, 2, 3]);
  const encoded = async function* () {
    yield 'AQI=';
    yield 'Aw==';
  };
  t.deepEqual(await collect(await mount.send(address, 'echo', '', { upload: encoded() })), [
    'AQI=',
    'Aw==',
  ]);
  t.deepEqual(notes, ['hello']);
});

test('no content is null in JSON', async (t) => {
  const { tool, reflector, address, node } = await fixture(t);
  const beats: unknown[] = [];
  const pulse = defineProtocol({
    name: 'pulse',
    methods: { beat: { request: empty, response: empty } },
  });
  serve(node.mount(pulse), { beat: (request) => void beats.push(request) });
  const description = await reflector.describe(address, 'pulse');
  const mount = tool.mount(await reflectedProtocol(description)) as AnySend;
  t.is(await mount.send(address, 'beat', null), null);
  t.deepEqual(beats, [undefined]);
  await t.throwsAsync(mount.send(address, 'beat', {}), {
    message: /expected undefined, got an object/,
  });
});

test('a wrong field is refused before it is sent, or by the node', async (t) => {
  const { tool, reflector, address } = await fixture(t);
  const description = await reflector.describe(address, 'numbers');
  const mount = tool.mount(await reflectedProtocol(description)) as AnySend;
  await t.throwsAsync(mount.send(address, 'double', { value: 1, units: 'm' }), {
    code: 'invalid_argument',
    message: 'json: value.units: unknown field; known here: value, unit',
  });
  await t.throwsAsync(mount.send(address, 'double', { value: '1' }), {
    code: 'invalid_argument',
    message: /numbers\/double request\.value: .*expected number/,
  });
  const nothing = async function* () {};
  await t.throwsAsync(mount.send(address, 'echo', '*', { upload: nothing() }), {
    code: 'invalid_argument',
    message: /base64/,
  });
  await mount.close();
  const lenient = await reflectedProtocol(description, { allowUnknownFields: true });
  const open = tool.mount(lenient) as AnySend;
  t.deepEqual(await open.send(address, 'double', { value: 1, units: 'm' }), { value: 2 });
});

test('Trunkline’s own protocols can be described and called, too', async (t) => {
  const { tool, reflector, address } = await fixture(t);
  const description = await reflector.describe(address, 'trunkline.reflection');
  await reflector.close();
  const mount = tool.mount(await reflectedProtocol(description)) as AnySend;
  t.is((await mount.send(address, 'list', {})).protocols.length, 3);
});
