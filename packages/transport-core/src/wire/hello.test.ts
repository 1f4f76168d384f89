// Tests of encoding and decoding hellos.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import {
  decodeHello,
  decodeProtocols,
  encodeHello,
  encodeProtocols,
  type Hello,
  type HelloProtocol,
} from './hello.ts';
import { helloOf } from './testing/hellos.ts';
import { bytesOf, HelloType, hex, joined } from './testing/proto.ts';

const hello: Hello = {
  wireMin: 1,
  wireMax: 2,
  instance: '000102030405060708090a0b0c0d0eff',
  network: 'default',
  addr: 'tcp://node-1:7000',
  agent: 'trunkline/1.0',
  nodeId: 'ab'.repeat(32),
  protocols: [
    { name: 'raft', version: 3, accepts: [0, 1, 2], channel: 0x20 },
    { name: 'gossip', version: 1, accepts: [], channel: 0 },
  ],
  limits: {
    message: 2 ** 26,
    item: 2 ** 20,
    packet: 65_536,
    pipe: 1,
    inbox: 2,
    stream: 5,
    calls: 4096,
    streams: 128,
  },
  features: ['zstd', 'é'],
  observed: '10.0.0.1:5000',
  fields: { token: 'secret', tenant: '😀' },
};

const withPrototype = (decoded: Hello | string) =>
  typeof decoded === 'string' ? decoded : { ...decoded, fields: { ...decoded.fields } };

/**
 * Decodes a hello with protobufjs' reflection, which shares no code with Trunkline; absent fields
 * are left out.
 */
function readByReflection(bytes: Uint8Array): Record<string, unknown> {
  const { instance, ...rest } = HelloType.toObject(HelloType.decode(bytes)) as Record<
    string,
    unknown
  >;
  return { ...rest, instance: hex(instance as Uint8Array) };
}

/** Returns the names of the fields of a message in frame.proto. */
function namesOf(type: string): string[] {
  return HelloType.root
    .lookupType(`trunkline.${type}`)
    .fieldsArray.map(({ name }) => name)
    .sort();
}

/** Decodes a hello that protobufjs' reflection wrote, with these fields changed. */
function decodeChanged(changes: Record<string, unknown>): Hello | string {
  const message = { ...hello, instance: bytesOf(hello.instance), ...changes };
  return decodeHello(new Uint8Array(HelloType.encode(message).finish()));
}

test('a hello follows frame.proto in both directions', (t) => {
  const bytes = encodeHello(hello);
  t.is(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  t.deepEqual(HelloType.toObject(HelloType.decode(bytes), { bytes: Array }), {
    ...hello,
    instance: [...bytesOf(hello.instance)],
    protocols: [hello.protocols[0], { name: 'gossip', version: 1 }],
  });
  t.deepEqual(namesOf('Hello'), Object.keys(hello).sort());
  t.deepEqual(namesOf('Protocol'), Object.keys(hello.protocols[0]!).sort());
  t.deepEqual(namesOf('Limits'), Object.keys(hello.limits).sort());
  t.deepEqual(withPrototype(decodeHello(bytes)), hello);
  t.deepEqual(withPrototype(decodeChanged({})), hello);
});

test('lists may be packed or not, the last of several values counts, and messages are merged', (t) => {
  const protocol = '42 0f 0a0172 1803 1a020405 1806 1807 2009';
  const decoded = decodeHello(
    joined([encodeHello(hello), bytesOf(protocol), bytesOf('0805 0800 4a020807 4a021009')]),
  ) as Hello;
  t.deepEqual(decoded.protocols.at(-1), {
    name: 'r',
    version: 0,
    accepts: [3, 4, 5, 6, 7],
    channel: 9,
  });
  t.is(decoded.wireMin, 0);
  t.deepEqual(decoded.limits, { ...hello.limits, message: 7, item: 9 });
});

test('absent fields of a hello are 0 or empty', (t) => {
  const least = decodeHello(
    new Uint8Array(
      HelloType.encode({ instance: bytesOf(hello.instance), limits: { packet: 4096 } }).finish(),
    ),
  );
  const { instance } = hello;
  const expected = helloOf({ wireMin: 0, wireMax: 0, instance, limits: { packet: 4096 } });
  t.deepEqual(withPrototype(least), expected);
});

test('proofs of a later version are skipped', (t) => {
  t.deepEqual(
    withPrototype(
      decodeHello(joined([encodeHello(hello), bytesOf('820103010203 f80105 a506 01020304')])),
    ),
    hello,
  );
});

test('fields may have any keys', (t) => {
  const decoded = decodeHello(
    encodeHello({
      ...hello,
      fields: JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}'),
    }),
  ) as Hello;
  t.is(Object.getPrototypeOf(decoded.fields), null);
  t.deepEqual(Object.entries(decoded.fields), [
    ['__proto__', 'p'],
    ['constructor', 'c'],
    ['toString', 't'],
  ]);
});

test('a hello that exceeds a limit is refused with the name of the limit', (t) => {
  const protocol = (i: number): HelloProtocol => ({
    name: `p${i}`,
    version: 1,
    accepts: [],
    channel: i,
  });
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ instance: bytesOf('00') }, /an instance of 1 bytes instead of 16/],
    [{ instance: new Uint8Array(0) }, /an instance of 0 bytes/],
    [{ network: 'x'.repeat(1025) }, /network of 1025 bytes; at most 1024/],
    [{ addr: 'é'.repeat(513) }, /addr of 1026 bytes/],
    [{ nodeId: 'AB'.repeat(32) }, /a node id that is not 64 hex digits in lower case/],
    [{ features: Array.from({ length: 65 }, () => 'f') }, /65 features; at most 64/],
    [{ features: ['f'.repeat(1025)] }, /a feature of 1025 bytes/],
    [{ protocols: Array.from({ length: 65 }, (_, i) => protocol(i)) }, /65 protocols; at most 64/],
    [
      { protocols: [{ ...protocol(1), accepts: Array.from({ length: 65 }, (_, i) => i) }] },
      /'p1' accepts 65 versions/,
    ],
    [{ protocols: [{ ...protocol(1), channel: 256 }] }, /'p1' on channel 256/],
    [{ protocols: [{ ...protocol(1), name: '' }] }, /without a name/],
    [{ protocols: [{ ...protocol(1), name: 'n'.repeat(1025) }] }, /name of 1025 bytes/],
    [{ protocols: [protocol(1), { ...protocol(1), channel: 2 }] }, /'p1' twice/],
    [{ protocols: [protocol(1), { ...protocol(2), channel: 1 }] }, /channel 1 twice/],
    [{ fields: { key: 'x'.repeat(8190) } }, /fields of more than 8192 bytes/],
    [{ fields: { key: 'é'.repeat(4095) } }, /fields of more than 8192 bytes/],
    [{ agent: 'x'.repeat(20_000) }, /a hello of \d+ bytes; at most 16384/],
    [{ limits: { ...hello.limits, packet: 4095 } }, /a packet limit of 4095 bytes/],
    [{ limits: { ...hello.limits, packet: 2 ** 20 + 1 } }, /a packet limit of 1048577 bytes/],
    [{ limits: undefined }, /a packet limit of 0 bytes/],
    [{ limits: { ...hello.limits, pipe: 2 ** 31 } }, /a pipe account of 2147483648 bytes/],
  ];
  for (const [changes, expected] of cases) t.regex(String(decodeChanged(changes)), expected);
  t.is(typeof decodeChanged({ fields: { key: 'x'.repeat(8189) } }), 'object');
  t.is(
    typeof decodeChanged({ protocols: Array.from({ length: 64 }, (_, i) => protocol(i)) }),
    'object',
  );
});

test('bytes that are not a hello are refused', (t) => {
  t.regex(String(decodeHello(bytesOf('1a10'))), /not valid protobuf/);
  t.regex(String(decodeHello(bytesOf('2201ff'))), /not valid protobuf/, 'a text that is no UTF-8');
  t.regex(String(decodeHello(bytesOf('088080808010'))), /2\^32/);
  t.regex(String(decodeHello(bytesOf('08ffffffffffffffffff01'))), /2\^32/);
  t.regex(String(decodeHello(bytesOf('42061180808080 10'))), /not valid protobuf/);
  t.regex(String(decodeHello(bytesOf('8301 8401'))), /a group/);
  t.regex(String(decodeHello(new Uint8Array(0))), /an instance of 0 bytes/);
});

test('a hello that a peer would refuse is not encoded', (t) => {
  const refused = (changes: Partial<Hello>) =>
    t.throws(() => encodeHello({ ...hello, ...changes }), {
      instanceOf: TransportError,
      code: 'invalid_argument',
    }).message;
  t.regex(refused({ instance: 'XY' }), /an instance/);
  t.regex(refused({ fields: { key: 'x'.repeat(8190) } }), /more than 8192 bytes/);
  t.regex(refused({ fields: { key: 5 as unknown as string } }), /fields\['key'\] is a number/);
  const wide = Array.from({ length: 64 }, (_, i) => ({
    name: String(i).padEnd(300, '.'),
    version: 1,
    accepts: [],
    channel: i,
  }));
  t.regex(refused({ protocols: wide }), /takes \d+ bytes, above 16384/);
  for (const announcement of [
    { protocols: wide, addr: '' },
    { protocols: [hello.protocols[0]!, hello.protocols[0]!], addr: '' },
    { protocols: [], addr: 'x'.repeat(1025) },
  ])
    t.throws(() => encodeProtocols(announcement), {
      instanceOf: TransportError,
      code: 'invalid_argument',
    });
});

test('lone surrogates are sent as U+FFFD', (t) => {
  const decoded = decodeHello(
    encodeHello({ ...hello, agent: 'a\ud800', fields: { '\udc00': '\ud800x' } }),
  ) as Hello;
  t.is(decoded.agent, 'a\ufffd');
  t.deepEqual({ ...decoded.fields }, { '\ufffd': '\ufffdx' });
});

test('an announcement is a hello with only its protocols and its address', (t) => {
  const { protocols } = hello;
  const announcement = { protocols, addr: 'tcp://a.example:1' };
  t.deepEqual(decodeProtocols(encodeProtocols(announcement)), announcement);
  t.deepEqual(
    decodeProtocols(new Uint8Array(HelloType.encode({ protocols }).finish())),
    { protocols, addr: '' },
    'the address is optional',
  );
  t.deepEqual(decodeProtocols(encodeProtocols({ protocols: [], addr: '' })), {
    protocols: [],
    addr: '',
  });
  const long = HelloType.encode({ addr: 'x'.repeat(1025) }).finish();
  t.regex(String(decodeProtocols(new Uint8Array(long))), /addr of 1025 bytes; at most 1024/);
  t.regex(String(decodeProtocols(bytesOf('42ff'))), /not valid protobuf/);
  t.regex(String(decodeProtocols(bytesOf('4200'))), /without a name/);
});

test('30,000 damaged hellos never throw, and those that are read match protobufjs', (t) => {
  const random = seededRandom(10);
  const below = (limit: number) => Math.floor(random() * limit);
  const whole = encodeHello(hello);
  let refusals = 0;
  for (let round = 0; round < 30_000; round++) {
    const bytes = whole.slice(0, below(4) === 0 ? below(whole.length) : whole.length);
    for (let i = below(4); i >= 0 && bytes.length > 0; i--) bytes[below(bytes.length)] = below(256);
    const decoded = decodeHello(bytes);
    if (typeof decoded === 'string') refusals++;
    else if (round % 8 === 0) t.like(withPrototype(decoded), readByReflection(bytes));
    decodeProtocols(bytes);
  }
  t.true(refusals > 10_000);
});
