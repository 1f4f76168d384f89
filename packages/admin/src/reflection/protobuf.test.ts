// Tests of descriptors: what they contain, calls with JSON, and descriptors that are wrong.

import { bytes, defineProtocol } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import test from 'ava';
import protobufjs from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import {
  describeProtocol,
  type ProtocolDescription,
  reflectedProtocol,
} from '../index.reflection.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { fixture, shop } from './testing/fixture.ts';

const order = {
  items: [{ itemName: 'tea', price: '9007199254740993', color: 'DARK_BLUE' }, { itemName: 'pot' }],
  counts: { tea: 2 },
  signature: 'AQI=',
  cash: true,
  codes: [1, -2],
};

test('a tool calls a method of protobuf messages with JSON', async (t) => {
  const { tool, reflector, address } = await fixture(t);
  const protocol = await reflectedProtocol(await reflector.describe(address, 'shop'));
  const mount = tool.mount(protocol) as any;
  t.deepEqual(await mount.send(address, 'order', order), order);
  await t.throwsAsync(mount.send(address, 'order', { itms: [] }), {
    code: 'invalid_argument',
    message: /shop\.Order: unknown field: "itms"/,
  });
  await t.throwsAsync(mount.send(address, 'order', { codes: ['x'] }), { code: 'invalid_argument' });
});

test('descriptors have the messages that are used, and no others', async (t) => {
  const { descriptors, methods } = await describeProtocol(shop);
  t.deepEqual(methods[0]?.request, {
    codec: 'protobuf(shop.Order)',
    limit: 8_388_608,
    type: 'shop.Order',
    descriptors: 0,
  });
  const set = descriptor.FileDescriptorSet.decode(fromBase64(descriptors![0]!)).toJSON() as any;
  t.deepEqual(
    set.file.map(({ package: name, messageType = [], enumType = [] }: any) => [
      name,
      ...[...messageType, ...enumType].map((each: any) => each.name),
    ]),
    [['shop', 'Item', 'Order', 'Color']],
  );
});

const syntaxes = {
  proto2: `syntax = "proto2"; package p;
    message M { required string a = 1; optional int32 b = 2 [default = 7]; repeated int32 c = 3;
      repeated int32 d = 4 [packed = true]; optional Inner inner = 5;
      message Inner { optional bytes x = 1; optional Kind kind = 2; enum Kind { A = 0; B = 5; } } }`,
  proto3: `syntax = "proto3"; package p;
    message M { string a = 1; optional int32 b = 2; repeated int32 c = 3;
      repeated int32 d = 4 [packed = false]; Inner inner = 5;
      message Inner { bytes x = 1; Kind kind = 2; enum Kind { A = 0; B = 5; } } }`,
  editions: `edition = "2023"; package p;
    message M { string a = 1; int32 b = 2; repeated int32 c = 3;
      repeated int32 d = 4 [features.repeated_field_encoding = EXPANDED]; Inner inner = 5;
      message Inner { bytes x = 1; Kind kind = 2; enum Kind { A = 0; B = 5; } } }`,
};

for (const [syntax, source] of Object.entries(syntaxes)) {
  test(`messages of ${syntax} have the same bytes from their descriptors`, async (t) => {
    const codec = protobuf<any>(protobufjs.parse(source).root.lookupType('p.M'));
    const protocol = defineProtocol({
      name: 'p',
      channel: 0x20,
      methods: { m: { id: 1, request: codec } },
    });
    const { request } = (await reflectedProtocol(await describeProtocol(protocol))).methods['m']!;
    const json = { a: 'x', b: 0, c: [1, 2], d: [3, 4], inner: { x: 'AQI=', kind: 'B' } };
    const inner = { x: new Uint8Array([1, 2]), kind: 5 };
    const plain = codec.encode({ ...json, inner });
    t.deepEqual(request.encode(json), plain);
    t.deepEqual(request.decode(plain), json);
  });
}

test('a class of static code is described by its name alone', async (t) => {
  const Message = Object.assign(() => {}, {
    encode: () => ({ finish: () => new Uint8Array() }),
    decode: () => ({}),
    getTypeUrl: (prefix: string) => `${prefix}/shop.Static`,
  });
  const protocol = defineProtocol({
    name: 'static',
    channel: 0x20,
    methods: { m: { id: 1, request: protobuf(Message), response: bytes } },
  });
  const { descriptors, methods } = await describeProtocol(protocol);
  t.is(descriptors, undefined);
  t.deepEqual(methods[0]?.request, { codec: 'protobuf(shop.Static)', limit: 8_388_608 });
  const { request } = (await reflectedProtocol({ ...(await describeProtocol(protocol)) })).methods[
    'm'
  ]!;
  t.deepEqual(request.encode('AQI='), new Uint8Array([1, 2]));
});

const withDescriptors = async (change: (file: any) => void): Promise<ProtocolDescription> => {
  const description = await describeProtocol(shop);
  const set = descriptor.FileDescriptorSet.decode(fromBase64(description.descriptors![0]!)) as any;
  change(set.file[0]);
  return {
    ...description,
    descriptors: [toBase64(descriptor.FileDescriptorSet.encode(set).finish().slice())],
  };
};

const hostile: [title: string, change: (file: any) => void][] = [
  ['a field', (file) => (file.messageType[0].field[0].name = 'a"];process.exit(1);//')],
  ['a message', (file) => (file.messageType[0].name = 'A{}')],
  ['a package', (file) => (file.package = 'a b')],
  ['a type', (file) => (file.messageType[1].field[0].typeName = '.shop.It em')],
  ['an enum value', (file) => (file.enumType[0].value[0].name = '__proto__ ')],
  ['a JSON name', (file) => (file.messageType[0].field[0].jsonName = 'a\nb')],
];

for (const [title, change] of hostile) {
  test(`descriptors are refused if the name of ${title} is not allowed`, async (t) => {
    await t.throwsAsync(reflectedProtocol(await withDescriptors(change)), {
      code: 'invalid_argument',
      message: /is not allowed/,
    });
  });
}

test('descriptors are refused if they are malformed, or lack a message', async (t) => {
  const description = await describeProtocol(shop);
  for (const set of ['*', 'AAAA', ''])
    await t.throwsAsync(reflectedProtocol({ ...description, descriptors: [set] }), {
      code: 'invalid_argument',
    });
});
