// Tests of the common options: defaults, dependencies between limits, and the fields of a hello.

import test from 'ava';
import { type CommonConfig, type CommonOptions, commonOptions } from './common-options.ts';
import { type OptionsInput, parseOptions } from './config.ts';
import { misuseOf } from './protocol/testing/refused.ts';
import { ACCOUNT_MAX, METADATA_LIMIT } from './wire/frame.ts';
import { PACKET_MAX, PACKET_MIN } from './wire/hello.ts';

const parse = (options: CommonOptions): CommonConfig =>
  parseOptions(commonOptions, options, 'createTransport');
const messageOf = (options: unknown) => misuseOf(() => parse(options as CommonOptions));

test('the defaults are those that the documentation gives', (t) => {
  t.deepEqual(parse({}), {
    network: 'default',
    maxPool: 3,
    timeout: 10_000,
    dialTimeout: 3_000,
    handshakeTimeout: 5_000,
    idleTimeout: 60_000,
    keepAlive: { interval: 10_000, timeout: 5_000 },
    interceptors: { client: [], server: [] },
    limits: {
      message: 67_108_864,
      item: 1_048_576,
      packet: 65_536,
      inbound: { calls: 4_096, bytes: 8_388_608 },
      outbound: { messages: 4_096, bytes: 16_777_216 },
      calls: 4_096,
      memory: 536_870_912,
      streams: 128,
      connections: 16_384,
      rate: {},
      total: { calls: 32_768, bytes: 134_217_728 },
      handshakes: { pending: 64 },
      credit: { pipe: 262_144, pipeMax: 16_777_216, inbox: 8_388_608, stream: 262_144 },
    },
  });
});

test('the inbox is a sixteenth of limits.total.bytes, at most 16 MiB', (t) => {
  const inboxOf = (bytes: number) => parse({ limits: { total: { bytes } } }).limits.credit.inbox;
  t.deepEqual([1, 16_777_216, 2 ** 30].map(inboxOf), [1, 1_048_576, 16_777_216]);
  t.is(parse({ limits: { credit: { inbox: 5 } } }).limits.credit.inbox, 5);
});

test('every option may be undefined', (t) => {
  const none = Object.fromEntries(Object.keys(commonOptions.shape).map((key) => [key, undefined]));
  t.is(JSON.stringify(parse(none)), JSON.stringify(parse({})));
});

test('no limit except waiting and idle times may be Infinity', (t) => {
  t.is(parse({ timeout: Infinity, idleTimeout: Infinity }).timeout, Infinity);
  for (const options of [
    { dialTimeout: Infinity },
    { handshakeTimeout: Infinity },
    { maxPool: Infinity },
    { limits: { message: Infinity } },
    { keepAlive: { interval: Infinity } },
  ]) {
    t.regex(messageOf(options), /got Infinity$/);
  }
  for (const timeout of [0, -1, NaN, '10'])
    t.regex(
      messageOf({ timeout }),
      /^createTransport: timeout: must be milliseconds above 0, or Infinity/,
    );
});

test('limits that contradict each other are refused, naming both', (t) => {
  t.is(
    messageOf({ limits: { message: 8_192, packet: 16_384 } }),
    'createTransport: limits.packet: must be at most limits.message (8192), got 16384',
  );
  t.is(
    messageOf({ limits: { message: 8_192, item: 16_384 } }),
    'createTransport: limits.item: must be at most limits.message (8192), got 16384',
  );
  t.is(
    messageOf({ limits: { message: 8_192, memory: 4_096 } }),
    'createTransport: limits.memory: must be at least limits.message (8192), got 4096',
  );
});

test('defaults follow the given options', (t) => {
  t.like(parse({ limits: { message: 1_000 } }).limits, {
    message: 1_000,
    item: 1_000,
    packet: 4_096,
    memory: 536_870_912,
  });
  t.like(parse({ limits: { memory: 1_048_576 } }).limits, {
    message: 1_048_576,
    item: 1_048_576,
    memory: 1_048_576,
  });
  t.is(parse({ limits: { message: 1_073_741_824 } }).limits.memory, 1_073_741_824);
  const { limits } = parse({ limits: { message: 5_000 } });
  t.deepEqual(parse({ limits }).limits, limits, 'what is complete stays as it is');
});

test('invalid clocks and observers are refused', (t) => {
  t.regex(
    messageOf({ clock: { now: () => 1 } }),
    /^createTransport: clock: must be a Clock with the methods now, setTimeout, clearTimeout, sleep, defer, got an object/,
  );
  t.regex(
    messageOf({ observer: { event: 1 } }),
    /^createTransport: observer: must be an object whose hooks/,
  );
  t.regex(messageOf({ random: 4 }), /^createTransport: random: must be a function, got 4/);
});

test('the fields of a hello are copied, frozen and at most 8 KiB', (t) => {
  const hello = { token: 'x' };
  const config = parse({ hello });
  hello.token = 'y';
  t.deepEqual(config.hello, { token: 'x' } as any);
  t.true(Object.isFrozen(config.hello));
  t.is(messageOf({ hello: { k: 'v'.repeat(8_191) } }), 'accepted');
  t.regex(
    messageOf({ hello: { k: 'v'.repeat(8_192) } }),
    /^createTransport: hello: must be at most 8 KiB of keys and values/,
  );
  t.regex(messageOf({ hello: { k: 'ü'.repeat(4_096) } }), /at most 8 KiB/);
  t.regex(messageOf({ hello: { k: 1 } }), /^createTransport: hello: 'k' must be a string/);
});

test('the fields of a hello may be Headers, a Map or pairs; other objects and lone surrogates are refused', (t) => {
  for (const hello of [new Headers({ k: 'v' }), new Map([['k', 'v']]), [['k', 'v']]])
    t.deepEqual(parse({ hello } as object).hello, { k: 'v' } as any);
  for (const hello of [new (class Token {})(), ['k'], 'k', 5, [['k', 'v', 'w'], 'k']])
    t.regex(messageOf({ hello }), /^createTransport: hello: must be strings in a plain object/);
  t.regex(messageOf({ hello: { k: '\ud800' } }), /hello: 'k' has a lone surrogate/);
  t.regex(messageOf({ hello: new Map([['\udc00', '']]) }), /has a lone surrogate/);
});

test('the bounds of options that the wire has, too, are those of the wire', (t) => {
  const refused = (options: object) => messageOf(options) !== 'accepted';
  for (const excess of [0, 1]) {
    const isOutside = excess > 0;
    t.is(refused({ limits: { packet: PACKET_MIN - excess } }), isOutside);
    t.is(refused({ limits: { packet: PACKET_MAX + excess } }), isOutside);
    for (const account of ['pipeMax', 'inbox', 'stream'])
      t.is(refused({ limits: { credit: { [account]: ACCOUNT_MAX + excess } } }), isOutside);
    t.is(refused({ hello: { '': 'v'.repeat(METADATA_LIMIT + excess) } }), isOutside);
  }
});

test('unknown interceptors are refused', (t) => {
  t.regex(messageOf({ interceptors: { clients: [] } }), /interceptors\.clients: .*'client'\?/);
});

test('the documented type and the schema take the same options', (t) => {
  type Input = OptionsInput<typeof commonOptions>;
  const documented: CommonOptions = {};
  const toSchema: Input = documented as Required<CommonOptions>;
  const toDocument: CommonOptions = toSchema;
  t.deepEqual(toDocument, {});
});
