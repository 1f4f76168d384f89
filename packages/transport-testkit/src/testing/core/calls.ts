// Cases about calls with one response: the request reaches the right handler intact, and the
// response the right caller.

import { serve } from '@trunkline/transport-core';
import { misused, rejected } from '../../transport/expect.ts';
import { type Block, kit, type SyncRequest, side } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, equalBytes, pattern, textOf, utf8, watch } from '../../transport/values.ts';
import { looseSend, served } from './shared.ts';

export const callCases: Cases = (test) => {
  test('a transport opens, is open, and closes without an error', async (f, t) => {
    const a = await f.open(kit);
    t.is(a.protocol, kit);
    t.is(a.snapshot().state, 'open');
    await a.close();
    t.is(a.snapshot().state, 'closed');
  });

  test('a request reaches the handler intact, and its answer the caller', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('echo');
    const answer = a.send(at, 'echo', utf8('ping'));
    const { value: rpc } = await consumer.next();
    t.is(rpc?.method, 'echo');
    t.is(textOf(rpc.request), 'ping');
    t.true(rpc.respond(utf8('pong')));
    t.is(textOf(await answer), 'pong');
  });

  test('null, empty lists, empty objects and zero survive', async (f, t) => {
    const { a, at } = await served(f);
    const request: SyncRequest = { from: '', known: {}, limit: 0, heads: [], parent: null };
    t.deepEqual(await a.send(at, 'sync', request), request);
    const nested: SyncRequest = {
      from: 'n\u0000ö𝄞',
      known: { '': -1 },
      limit: -0.5,
      heads: [null, [], {}, false, ''],
      parent: { parent: { parent: null } },
    };
    t.deepEqual(await a.send(at, 'sync', nested), nested);
  });

  test('a large nested body with binary data survives', async (f, t) => {
    const { a, at } = await served(f);
    const leaf = (index: number): Block => ({ index, state: pattern(20_000, index), parents: [] });
    const root: Block = {
      index: 7,
      state: pattern(300_000, 7),
      parents: [leaf(1), { index: 2, state: new Uint8Array(0), parents: [leaf(3), leaf(4)] }],
    };
    const back = await a.send(at, 'block', root);
    t.is(back.index, 7);
    t.true(equalBytes(back.state, root.state));
    t.true(equalBytes(back.parents[1]?.parents[1]?.state ?? utf8('nothing'), pattern(20_000, 4)));
    t.is(back.parents[1]?.state.length, 0);
  });

  test('each method goes to its own handler', async (f, t) => {
    const { a, b, at } = await f.pair();
    serve(b, {
      echo: () => utf8('echo'),
      brisk: () => utf8('brisk'),
      gather: () => utf8('gather'),
    });
    t.is(textOf(await a.send(at, 'brisk', utf8(''))), 'brisk');
    t.is(textOf(await a.send(at, 'echo', utf8(''))), 'echo');
  });

  test('a client with methods calls like send', async (f, t) => {
    const { a, at } = await served(f);
    const client = a.to(at);
    t.is(textOf(await client.echo(utf8('one'), { timeout: 1_000 })), 'one');
    t.is(await client.note(utf8('two')), undefined);
  });

  test('messages of sizes around a packet and a window arrive complete in both directions', async (f, t) => {
    const { a, at } = await served(f);
    for (const edge of [1, PACKET, 2 * PACKET, PIPE, PIPE + PACKET]) {
      for (const size of [edge - 1, edge, edge + 1]) {
        const request = pattern(size, size + 1);
        t.true(equalBytes(await a.send(at, 'echo', request), request), `${size} bytes`);
      }
    }
  });

  test('a message of many windows arrives complete', async (f, t) => {
    const { a, at } = await served(f);
    const request = pattern(9_000_001);
    t.true(equalBytes(await a.send(at, 'echo', request), request));
  });

  test('a thousand calls at once each get their own answer', async (f, t) => {
    const { a, at } = await served(f);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => a.send(at, 'echo', utf8(`call ${i}`))),
    );
    for (const [i, answer] of answers.entries()) t.is(textOf(answer), `call ${i}`);
  });

  test('long and short messages in both directions at once are never mixed up', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(a);
    serveKit(b);
    const sizes = [10, 200_000, 1_000, 700_000, PACKET, 3, PACKET + 1, 90_000];
    const calls = sizes.flatMap((size, i) => [
      { request: pattern(size, i + 1), answer: a.send(at, 'echo', pattern(size, i + 1)) },
      {
        request: pattern(size, i + 50),
        answer: b.send(a.advertiseAddr(), 'echo', pattern(size, i + 50)),
      },
    ]);
    for (const { request, answer } of calls)
      t.true(equalBytes(await answer, request), `${request.length} bytes`);
  });

  test('answers come in any order: a slow call delays no other', async (f, t) => {
    const gate = deferred<Uint8Array>();
    const { a, at } = await served(f, { brisk: () => gate.promise });
    const slow = a.send(at, 'brisk', utf8('slow'), { timeout: Infinity });
    const state = watch(slow);
    t.is(textOf(await a.send(at, 'echo', utf8('fast'))), 'fast');
    t.false(state.settled);
    gate.resolve(utf8('at last'));
    t.is(textOf(await slow), 'at last');
  });

  // docs/wire-protocol.md §6 promises that there is no deadlock.
  test('a handler calls its caller back before it answers', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(a, { echo: (request) => utf8(`${textOf(request)}, said a`) });
    serveKit(b, {
      echo: async (request, rpc) =>
        utf8(`${textOf(await b.send(rpc.from, 'echo', request))}, said b`),
    });
    t.is(textOf(await a.send(at, 'echo', utf8('hello'))), 'hello, said a, said b');
  });

  test('a transport calls itself', async (f, t) => {
    const a = await f.open(kit);
    f.link(a, a);
    serveKit(a);
    t.is(textOf(await a.send(a.advertiseAddr(), 'echo', utf8('me'))), 'me');
  });

  test('changes that one end makes to bytes are not visible at the other', async (f, t) => {
    const { a, b, at } = await f.pair();
    const kept = deferred<Uint8Array>();
    serve(b, {
      echo(request) {
        const answer = request.slice();
        kept.resolve(answer);
        request.fill(0);
        return answer;
      },
    });
    const request = utf8('precious');
    const answer = await a.send(at, 'echo', request);
    t.is(textOf(request), 'precious');
    answer.fill(0);
    t.is(textOf(await f.event('the request', kept.promise)), 'precious');
  });

  test('bytes are delivered as plain Uint8Arrays', async (f, t) => {
    const types: unknown[] = [];
    const { a, at } = await served(f, {
      echo(request) {
        types.push(Object.getPrototypeOf(request));
        return request;
      },
    });
    for (const size of [0, 10, 100_000])
      types.push(Object.getPrototypeOf(await a.send(at, 'echo', pattern(size))));
    t.true(types.every((type) => type === Uint8Array.prototype));
    t.is(types.length, 6);
  });

  test('the bytes of a handler do not change when more bytes arrive', async (f, t) => {
    const kept: Uint8Array[] = [];
    const { a, at } = await served(f, {
      echo(request) {
        kept.push(request);
        return request;
      },
    });
    for (let i = 0; i < 200; i++) await a.send(at, 'echo', pattern(1_000, i + 1));
    t.true(kept.every((request, i) => equalBytes(request, pattern(1_000, i + 1))));
  });

  test('metadata may be Headers, a Map or pairs, and arrives as an object', async (f, t) => {
    const got: object[] = [];
    const { a, at } = await served(f, {
      echo(request, rpc) {
        got.push({ ...rpc.metadata });
        return request;
      },
    });
    const pairs = [['token', 'x'] as const];
    for (const metadata of [new Headers(pairs as never), new Map(pairs), pairs, pairs.values()])
      await a.send(at, 'echo', utf8(''), { metadata });
    t.deepEqual(got, Array(4).fill({ token: 'x' }));
    for (const metadata of [new (class Token {})(), ['token'], 'token', 5])
      await misused(t, a.send(at, 'echo', utf8(''), { metadata: metadata as never }));
    await rejected(t, a.send(at, 'echo', utf8(''), { metadata: { token: '\ud800' } }), {
      code: 'invalid_argument',
      sent: false,
    });
    t.is(got.length, 4);
  });

  test('unknown options of a call are refused, unless they are undefined', async (f, t) => {
    const { a, at } = await served(f);
    const send = looseSend(a);
    const error = await misused(t, send(at, 'echo', utf8(''), { tiemout: 5 }));
    t.is(error.message, "send: tiemout: unknown option; did you mean 'timeout'?");
    await misused(t, send(at, 'echo', utf8(''), 5_000));
    await send(at, 'echo', utf8(''), { tiemout: undefined, timeout: undefined });
  });

  test('names of prototype members are ordinary keys of metadata, and of JSON that allows them', async (f, t) => {
    const metadata: Record<string, string> = Object.fromEntries(
      HOSTILE_NAMES.map((name) => [name, `value of ${name}`]),
    );
    const known = Object.fromEntries(HOSTILE_NAMES.map((name, i) => [name, i]));
    const got = deferred<[string, string][]>();
    const { a, at } = await served(f, {
      sync(request, rpc) {
        got.resolve(Object.entries(rpc.metadata));
        return request;
      },
    });
    const back = await a.send(
      at,
      'sync',
      { from: '', known, limit: 0, heads: [], parent: null },
      { metadata },
    );
    t.deepEqual(
      (await f.event('the request', got.promise)).sort(),
      Object.entries(metadata).sort(),
    );
    t.deepEqual(Object.entries(back.known).sort(), Object.entries(known).sort());
    t.is(({} as Record<string, unknown>)['polluted'], undefined);
  });

  test('send rejects with a TypeError for a method that the protocol does not have', async (f, t) => {
    const { a, at } = await f.pair();
    const send = looseSend(a);
    for (const name of ['nonsense', '', ...HOSTILE_NAMES])
      await misused(t, send(at, name, utf8('')));
  });

  test('send never throws: misuse rejects, too', async (f, t) => {
    const { a, at } = await f.pair();
    const send = looseSend(a);
    await misused(t, send(42, 'echo', utf8('')));
    await misused(t, send(undefined, 'echo', utf8('')));
    await misused(t, send(at, 'echo', utf8(''), { timeout: 'soon' }));
    await misused(t, send(at, 'gather', utf8('')));
    await misused(t, send(at, 'echo', utf8(''), { metadata: { key: 1 } }));
  });

  test('a call of a protocol that the peer does not have fails with unimplemented, and other protocols continue', async (f, t) => {
    const { a, at } = await served(f);
    const other = a.mount(side);
    await rejected(t, other.send(at, 'echo', utf8('')), {
      code: 'unimplemented',
      origin: 'remote',
    });
    t.is(textOf(await a.send(at, 'echo', utf8('still here'))), 'still here');
  });

  test('a Remote is a target like its address', async (f, t) => {
    const { a, at } = await served(f);
    const remote = await a.dial(at);
    t.is(textOf(await a.send(remote, 'echo', utf8('over this one'))), 'over this one');
    t.is(a.remotes().length, 1);
  });
};

/** The sizes of a packet and of the pipe in docs/wire-protocol.md. */
const PACKET = 64 * 1024;
const PIPE = 256 * 1024;
const HOSTILE_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
];
