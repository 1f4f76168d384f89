// Cases about values that a codec refuses: the error names the path, occurs where the mistake can
// be fixed, and never lets a part of a value through.

import {
  bytes,
  type Codec,
  defineProtocol,
  empty,
  json,
  serve,
  type TransportError,
} from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import { protobuf } from '@trunkline/transport-core/protobuf';
import proto from 'protobufjs';
import { misused, rejected, thrown } from '../../transport/expect.ts';
import type { Fixture } from '../../transport/fixture.ts';
import { blockCodec, type KitTransport, kit, type SyncRequest } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

export const codecCases: Cases = (test) => {
  test('a call without content needs no argument, and its handler returns nothing', async (f, t) => {
    const { a, b, at } = await f.pair();
    const protocol = defineProtocol({
      name: 'testkit/empty',
      channel: 0x4f,
      methods: {
        ping: { request: empty, response: empty },
        poke: { request: empty },
        count: { request: empty, download: bytes },
      },
    });
    const seen: unknown[] = [];
    serve(b.mount(protocol), {
      async ping(request) {
        seen.push(request);
      },
      poke: (request) => void seen.push(request),
      async *count(request) {
        seen.push(request);
        yield utf8('one');
      },
    });
    const client = a.mount(protocol).to(at);
    await client.poke();
    t.is(await client.ping(), undefined);
    for await (const item of client.count()) t.deepEqual(item, utf8('one'));
    t.deepEqual(seen, [undefined, undefined, undefined]);
    await rejected(t, client.ping({} as never), {
      code: 'invalid_argument',
      sent: false,
      message: /^testkit\/empty\/ping request: expected undefined, got an object/,
    });
  });

  test('a value that JSON cannot hold is refused at the sender, with its path, and never sent', async (f, t) => {
    const { a, b, at } = await f.pair();
    const synced = countSyncs(b);
    const cycle: { parent?: unknown } = {};
    cycle.parent = cycle;
    const refused = { code: 'invalid_argument', sent: false, message: /parent/ } as const;
    for (const deep of [NaN, Infinity, new Date(0), new Map(), new Uint8Array(1), 10n, cycle])
      await rejected(t, a.send(at, 'sync', { ...plain, parent: { deep } }), refused);
    t.is(synced(), 0);
  });

  test('a request that does not match its schema is refused at the sender, by its path', async (f, t) => {
    const { a, at } = await served(f);
    const wrong = { ...plain, limit: 'many' } as unknown as SyncRequest;
    await rejected(t, a.send(at, 'sync', wrong), {
      code: 'invalid_argument',
      sent: false,
      origin: 'local',
      message: /limit/,
    });
  });

  test('a request that the codec of the receiver refuses reaches no reader, and the caller gets the path of the error', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    const synced = countSyncs(b);
    await rejected(t, a.send(at, 'sync', utf8(MANY)), { ...REFUSED, message: /limit/ });
    for (const bytes of [utf8('{"from":'), utf8(''), new Uint8Array([0x22, 0xc0, 0xaf, 0x22])])
      await rejected(t, a.send(at, 'sync', bytes), REFUSED);
    t.is(synced(), 0);
  });

  test('an answer that its codec refuses throws at the handler, and fails with internal at the caller', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('sync');
    const answer = a.send(at, 'sync', plain);
    const { value: rpc } = await consumer.next();
    thrown(t, () => rpc.respond({ ...plain, limit: 'many' } as unknown as SyncRequest), {
      code: 'invalid_argument',
      message: /limit/,
    });
    await rejected(t, answer, { code: 'internal', sent: true });
  });

  test("an answer that violates the caller's schema is one typed error of that call only", async (f, t) => {
    const b = await f.open(looseKit);
    const a = await f.open(kit);
    f.link(a, b);
    serve(b, { sync: () => utf8(MANY) });
    await rejected(t, a.send(b.advertiseAddr(), 'sync', plain), {
      code: 'internal',
      sent: true,
      message: /limit/,
    });
  });

  test('JSON with 100,000 levels is refused without a stack overflow', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    serveKit(b);
    const deep = `{"from":"","known":{},"limit":0,"heads":[],"parent":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    await rejected(t, a.send(at, 'sync', utf8(deep)), REFUSED);
    await rejected(t, a.send(at, 'sync', utf8('['.repeat(250_000))), REFUSED);
  });

  test('a message above a limit of its codec is refused at its sender', async (f, t) => {
    const { a, at } = await served(f);
    const refused = { ...TOO_LARGE, origin: 'local' } as const;
    const long = a.send(at, 'sync', { ...plain, parent: 'x'.repeat(4 * MIB) });
    await rejected(t, long, { ...refused, message: /above the limit of 4194304/ });
    const many = a.send(at, 'sync', { ...plain, heads: Array(40_000).fill(1) });
    await rejected(t, many, { ...refused, message: /above the limit of 32768/ });
  });

  test('a message above a limit of its codec that arrives anyway is refused unprocessed, and the connection stays open', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    const synced = countSyncs(b);
    const refused = { ...TOO_LARGE, origin: 'remote' } as const;
    const long = a.send(at, 'sync', new Uint8Array(4 * MIB + 1));
    await rejected(t, long, { ...refused, message: /above 4194304/ });
    for (const item of ['1', '{}', '[]', '""']) {
      const many = `{"from":"","known":{},"limit":0,"parent":null,"heads":[${`${item},`.repeat(40_000)}1]}`;
      const answer = a.send(at, 'sync', utf8(many));
      await rejected(t, answer, { ...refused, message: /above the limit of 32768/ });
    }
    t.is(synced(), 0);
    await a.send(at, 'sync', utf8(JSON.stringify(plain)));
    t.is(synced(), 1);
  });

  test('a number that overflows is refused at the receiver, by its path', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    serveKit(b);
    const overflowing = utf8('{"from":"","known":{},"limit":0,"heads":[],"parent":{"n":1e999}}');
    const answer = a.send(at, 'sync', overflowing);
    await rejected(t, answer, { ...REFUSED, message: /parent\.n: .*Infinity/ });
  });

  test('a protobuf request that is cut off anywhere is refused, and never read as half a value', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    serveKit(b);
    const whole = blockCodec.encode({ index: 0, state: utf8('state of the world'), parents: [] });
    const start = whole.length - utf8('state of the world').length;
    for (let length = start; length < whole.length; length++)
      await rejected(t, a.send(at, 'block', whole.slice(0, length)), REFUSED);
  });

  test('hostile protobuf is refused: nesting, counts, varints', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    serveKit(b);
    for (const hostile of [
      nested(10_000),
      nested(100_000),
      new Uint8Array([0x12, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2, 3]),
      new Uint8Array([0x08, ...Array<number>(11).fill(0xff), 1]),
    ])
      await rejected(t, a.send(at, 'block', hostile), REFUSED);
  });

  test('a million unknown fields are skipped quickly', async (f, t) => {
    const { a, b, at } = await linkedKit(f);
    serveKit(b, { block: (request) => ({ ...request, index: request.index + 1 }) });
    const unknown = new Uint8Array(2_000_002);
    for (let i = 0; i < 1_000_000; i++) unknown[2 * i] = 0x78;
    unknown.set([0x08, 41], 2_000_000);
    const back = blockCodec.decode((await a.send(at, 'block', unknown)) as Uint8Array);
    t.is(back.index, 42);
  });

  test('integers above 2^53 are never rounded silently', async (f, t) => {
    const counter = new proto.Type('Counter').add(new proto.Field('value', 1, 'uint64'));
    new proto.Root().add(counter);
    const a = await f.open(saying('testkit/tall', bytes, bytes));
    const b = await f.open(saying('testkit/tall', protobuf<{ value: unknown }>(counter), bytes));
    f.link(a, b);
    const got: string[] = [];
    serve(b, {
      say(request) {
        got.push(String(request.value));
        return utf8('');
      },
    });
    const exact = 2n ** 53n + 1n;
    const outcome = await a.send(b.advertiseAddr(), 'say', varintField(1, exact)).then(
      () => got,
      (error: TransportError) => error.code,
    );
    if (typeof outcome === 'string') t.is(outcome, 'invalid_argument');
    else t.deepEqual(outcome, [String(exact)]);
  });

  test('a codec that throws a foreign value still results in one typed error', async (f, t) => {
    const wild = {
      name: 'wild',
      encode: (value: string) => utf8(value),
      decode: (): string => JSON.parse('{'),
    };
    const wildProtocol = saying('testkit/wild', wild, wild);
    const [a, b] = [await f.open(wildProtocol), await f.open(wildProtocol)];
    f.link(a, b);
    serve(b, { say: (request) => request });
    await rejected(t, a.send(b.advertiseAddr(), 'say', 'hello'), { code: 'invalid_argument' });
    const refusing = { ...wild, encode: () => JSON.parse('{') };
    const other = a.mount(saying('testkit/wilder', refusing, wild, 0x44));
    const answer = other.send(b.advertiseAddr(), 'say', 'hello');
    await rejected(t, answer, { code: 'invalid_argument', sent: false });
  });

  test('an asynchronous schema throws a TypeError', async (f, t) => {
    const late = {
      '~standard': {
        version: 1 as const,
        vendor: 'late',
        validate: async (value: unknown) => ({ value }),
      },
    };
    const a = await f.open(saying('testkit/late', json(late), bytes));
    f.link(a, a);
    await misused(t, a.send(a.advertiseAddr(), 'say', 1));
  });
};

const MIB = 1024 * 1024;
/** A request of `sync` whose limit is no number. */
const MANY = '{"from":"","known":{},"limit":"many","heads":[],"parent":null}';
const REFUSED = { code: 'invalid_argument', origin: 'remote' } as const;
const TOO_LARGE = { code: 'resource_exhausted', reason: 'too_large', sent: false } as const;
const plain: SyncRequest = { from: '', known: {}, limit: 0, heads: [], parent: null };

/**
 * The kit's protocol without any checks, so that a case can determine the bytes that this end
 * sends.
 */
const looseKit = defineProtocol({
  name: 'testkit',
  version: 1,
  channel: 0x40,
  methods: {
    sync: { id: 7, request: bytes, response: bytes },
    block: { id: 8, request: bytes, response: bytes },
  },
});

/** Returns a protocol with one method, `say`. */
function saying<const N extends string, Q extends Codec<any, any>, A extends Codec<any, any>>(
  name: N,
  request: Q,
  response: A,
  channel = 0x43,
) {
  return defineProtocol({
    name,
    version: 1,
    channel,
    methods: { say: { id: 1, request, response } },
  });
}

/** Serves `sync` and returns the number of its calls so far. */
function countSyncs(b: KitTransport): () => number {
  let calls = 0;
  serveKit(b, {
    sync(request) {
      calls++;
      return request;
    },
  });
  return () => calls;
}

async function linkedKit(f: Fixture) {
  const a = await f.open(looseKit);
  const b = await f.open(kit);
  f.link(a, b);
  return { a, b, at: b.advertiseAddr() };
}

/** Returns nested Blocks, `levels` deep. */
function nested(levels: number): Bytes {
  const bytes = new Uint8Array(levels * 6);
  let start = bytes.length;
  for (let level = 0; level < levels; level++) {
    const lengthBytes = varint(BigInt(bytes.length - start));
    start -= lengthBytes.length;
    bytes.set(lengthBytes, start);
    bytes[--start] = 0x1a;
  }
  return bytes.slice(start);
}

function varintField(field: number, value: bigint): Bytes {
  return new Uint8Array([field << 3, ...varint(value)]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  bytes.push(Number(value));
  return bytes;
}
