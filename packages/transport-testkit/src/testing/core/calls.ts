// Cases about calls with one response: the request reaches the right handler intact, and the
// response the right caller.

import { serve } from '@trunkline/transport-core';
import { misused, rejected } from '../../transport/expect.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, equalBytes, pattern, textOf, utf8 } from '../../transport/values.ts';
import { looseSend, served } from './shared.ts';

export const callCases: Cases = (test) => {
  test('messages of sizes around a packet and a window arrive complete in both directions', async (f, t) => {
    const { a, at } = await served(f);
    for (const edge of [1, PACKET, 2 * PACKET, PIPE, PIPE + PACKET]) {
      for (const size of [edge - 1, edge, edge + 1]) {
        const request = pattern(size, size + 1);
        t.true(equalBytes(await a.send(at, 'echo', request), request), `${size} bytes`);
      }
    }
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
};

/** The sizes of a packet and of the pipe in docs/wire-protocol.md. */
const PACKET = 64 * 1024;
const PIPE = 256 * 1024;
