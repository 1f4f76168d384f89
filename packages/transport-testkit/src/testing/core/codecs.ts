// Cases about values that a codec refuses: the error names the path, occurs where the mistake can
// be fixed, and never lets a part of a value through.

import { bytes, defineProtocol, empty, serve } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import type { Fixture } from '../../transport/fixture.ts';
import { type KitTransport, kit, type SyncRequest } from '../../transport/protocols.ts';
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
};

const MIB = 1024 * 1024;
/** A request of `sync` whose limit is no number. */
const MANY = '{"from":"","known":{},"limit":"many","heads":[],"parent":null}';
const REFUSED = { code: 'invalid_argument', origin: 'remote' } as const;
const TOO_LARGE = { code: 'resource_exhausted', reason: 'too_large', sent: false } as const;
const plain: SyncRequest = { from: '', known: {}, limit: 0, heads: [], parent: null };

/**
 * The kit's protocol without any checks, so that a case can determine the bytes that this end
 * sends. The name, version, channel and ids are those of `kit`.
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
