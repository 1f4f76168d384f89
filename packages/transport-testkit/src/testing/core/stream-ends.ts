// Cases about neglected streams, which nobody reads or waits for, or whose clean-up throws. Errors
// are never lost silently, and nothing crashes.

import { type ServerInterceptor, TransportError } from '@trunkline/transport-core';
import { caught, misused, rejected } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import { rangeOf, serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, pattern, streamOf, textOf, utf8 } from '../../transport/values.ts';
import { looseSend, SubscribedItems, served } from './shared.ts';

const awaiting: ServerInterceptor = (next) => async (call) => await next(call);

export const streamEndCases: Cases = (test) => {
  test('writes that were not awaited arrive before a later failure', async (f, t) => {
    const { a, at } = await served(f, {
      range(_request, rpc) {
        for (let i = 0; i < 50; i++) void rpc.write(utf8(`${i}`));
        rpc.fail(new TransportError('data_loss', 'that was all'));
      },
    });
    const got: string[] = [];
    const reading = (async () => {
      for await (const item of await a.send(at, 'range', utf8(''))) got.push(textOf(item));
    })();
    await rejected(t, reading, { code: 'data_loss', origin: 'remote' });
    t.is(got.length, 50);
  });

  for (const server of [[], [awaiting]])
    test(`writes that were not awaited end nothing when their caller leaves, ${server.length === 0 ? 'without' : 'with'} an interceptor`, async (f, t) => {
      const gone = deferred();
      const refused = deferred<unknown>();
      const { a, b, at } = await f.pair({ b: { interceptors: { server } } });
      serveKit(b, {
        async range(_request, rpc) {
          for (let i = 0; i < 100; i++) void rpc.write(pattern(10_000));
          rpc.signal.addEventListener('abort', () => gone.resolve());
          await gone.promise;
          void rpc.write(utf8('not awaited'));
          await rpc.write(utf8('awaited')).catch(refused.resolve);
        },
      });
      for await (const _ of await a.send(at, 'range', utf8(''))) break;
      const error = await f.event('the write that is awaited', refused.promise);
      t.true(error instanceof TransportError && error.code === 'cancelled', String(error));
      t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    });

  test('a download that is never looked at harms nobody when its connection breaks', async (f, t) => {
    const wire = createWire();
    const { a, at } = await served(f, {}, { placeA: { wrap: wire.wrap } });
    await a.send(at, 'range', rangeOf(100, 10_000));
    await f.turns();
    wire.cut();
    await f.until('the connection is gone', () => a.remotes().length === 0);
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
  });

  test('an upload whose clean-up throws affects no other call', async (f, t) => {
    const { a, at } = await served(f, { gather: () => utf8('enough') });
    for (const fail of [
      () => {
        throw new Error('clean-up');
      },
      () => Promise.reject(new Error('clean-up')),
    ]) {
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<never>(() => undefined),
          return: fail,
        }),
      };
      t.is(textOf(await a.send(at, 'gather', utf8(''), { upload: source })), 'enough');
    }
    await f.turns();
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
  });

  test('a returned stream whose clean-up throws affects no other call', async (f, t) => {
    const cleaned = deferred();
    const { a, b, at } = await served(f, {
      async *range() {
        try {
          for (;;) yield utf8('more');
        } finally {
          cleaned.resolve();
          // biome-ignore lint/correctness/noUnsafeFinally: that is the case
          throw new Error('clean-up');
        }
      },
    });
    for await (const _ of await a.send(at, 'range', utf8(''))) break;
    await f.event('the clean-up of the handler', cleaned.promise);
    await f.turns();
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    await f.until('no stream is open', () => b.snapshot().connections[0]?.streams === 0);
  });

  for (const how of ['aborts', 'has no time left', 'disconnects', 'is disconnected by close()'])
    test(`items that a handler returns after its caller ${how} are closed unread`, async (f, t) => {
      for (const server of [[], [awaiting]])
        for (const method of ['range', 'pipe'] as const) {
          const { a, b, at } = await f.pair({ b: { interceptors: { server } } });
          const called = deferred();
          const gone = deferred();
          const late = deferred<SubscribedItems>();
          const handler = (_: unknown, rpc: { readonly signal: AbortSignal }) => {
            rpc.signal.addEventListener('abort', () => gone.resolve());
            called.resolve();
            return late.promise;
          };
          serveKit(b, { range: handler, pipe: handler });
          const items = new SubscribedItems();
          const controller = new AbortController();
          const options = {
            signal: controller.signal,
            ...(how === 'has no time left' ? { timeout: 1_000 } : {}),
          };
          const call =
            method === 'range'
              ? a.send(at, method, utf8(''), options)
              : a.send(at, method, utf8(''), { ...options, upload: streamOf([]) });
          call.catch(() => {});
          await f.event('the call at its handler', called.promise);
          if (how === 'aborts') controller.abort();
          else if (how === 'has no time left') await f.advance(1_500);
          else await f.drive(how === 'disconnects' ? a.disconnect(at) : b.close());
          await f.event('the signal of the handler', gone.promise);
          late.resolve(items);
          await f.event('the end of the subscription', items.returned.promise);
          t.is(items.reads, 0);
        }
    });

  test('an invalid upload, or one for a method without upload, throws a TypeError', async (f, t) => {
    const { a, at } = await served(f);
    const send = looseSend(a);
    await misused(t, send(at, 'gather', utf8(''), { upload: 42 }));
    await misused(t, send(at, 'gather', utf8(''), {}));
    await misused(t, send(at, 'echo', utf8(''), { upload: (async function* () {})() }));
    await misused(t, send(at, 'echo', utf8(''), { signal: 'now' }));
    t.true(a.snapshot().connections.every(({ calls }) => calls.out === 0));
  });

  test('an item that its codec refuses ends an upload with that error, at the caller', async (f, t) => {
    const { a, at } = await served(f);
    async function* wrong() {
      yield utf8('fine');
      yield 'no bytes' as unknown as Uint8Array;
    }
    const error = await caught(t, a.send(at, 'gather', utf8(''), { upload: wrong() }));
    t.true(
      error instanceof TransportError && ['invalid_argument', 'aborted'].includes(error.code),
      String(error),
    );
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
  });
};
