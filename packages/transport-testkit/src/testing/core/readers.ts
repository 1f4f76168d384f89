// Cases about readers of incoming calls: consumers and servers share one queue, and each call goes
// to exactly one of them.

import { serve } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import { kit } from '../../transport/protocols.ts';
import { NO_PINGS, serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { pattern, streamOf, textOf, utf8, watch } from '../../transport/values.ts';

export const readerCases: Cases = (test) => {
  test('each call goes to exactly one of several consumers', async (f, t) => {
    const { a, b, at } = await f.pair();
    const got: string[] = [];
    const read = async (name: string) => {
      for await (const rpc of b.consumer('echo')) {
        got.push(textOf(rpc.request));
        rpc.respond(utf8(name));
      }
    };
    const readers = [read('one'), read('two')];
    const calls = Array.from({ length: 100 }, (_, i) => a.send(at, 'echo', utf8(String(i))));
    await Promise.all(calls);
    t.is(got.length, 100);
    t.is(new Set(got).size, 100);
    await f.drive(b.close());
    await Promise.all(readers);
  });

  test('a call that is not served is refused after a second, unprocessed', async (f, t) => {
    const { a, b, at } = await f.pair();
    const items = (await a.send(at, 'range', utf8('')))[Symbol.asyncIterator]();
    const calls = [
      a.send(at, 'echo', utf8('')),
      a.send(at, 'gather', utf8(''), { upload: streamOf([utf8('item')]) }),
      a.send(at, 'echo', pattern(100_000)),
      items.next(),
    ];
    const states = calls.map(watch);
    await f.until('the calls wait in the queue', () => b.snapshot().waiting === 4);
    f.clock.advance(999);
    await f.turns();
    t.false(states.some(({ settled }) => settled));
    f.clock.advance(1);
    for (const call of calls)
      await rejected(t, call, {
        code: 'unimplemented',
        origin: 'remote',
        sent: false,
        message: /'testkit\/\w+' is not served/,
      });
    t.is(b.snapshot().waiting, 0);
    t.is(f.count(b, 'refusedCall'), 4);
    t.is(b.snapshot().memory, 0);
  });

  test('a call that has a reader waits for it until its deadline', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { keepAlive: NO_PINGS }, b: { keepAlive: NO_PINGS } });
    const early = a.send(at, 'echo', utf8('early'), { timeout: Infinity });
    await f.until('the call waits in the queue', () => b.snapshot().waiting === 1);
    await f.advance(900);
    const consumer = b.consumer('echo');
    const late = a.send(at, 'echo', utf8('late'), { timeout: Infinity });
    await f.until('both calls wait in the queue', () => b.snapshot().waiting === 2);
    await f.advance(60_000, 1_000);
    for (const call of [early, late]) {
      const { value: rpc } = await consumer.next();
      rpc.respond(rpc.request);
      await call;
    }
    t.is(f.count(b, 'refusedCall'), 0);
  });

  test('a call whose last reader has left waits one more second', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('echo');
    const calls = ['one', 'two'].map((name) => a.send(at, 'echo', utf8(name)));
    await f.until('both calls wait in the queue', () => b.snapshot().waiting === 2);
    await f.advance(3_000);
    const { value: rpc } = await consumer.next();
    await consumer.return?.();
    const state = watch(calls[1] as Promise<unknown>);
    await f.advance(900);
    t.false(state.settled);
    await f.advance(100);
    await rejected(t, calls[1] as Promise<unknown>, {
      code: 'unimplemented',
      origin: 'remote',
      sent: false,
    });
    rpc.respond(rpc.request);
    t.is(textOf(await (calls[0] as Promise<Uint8Array>)), 'one');
  });

  test('a one-way that is not served yet waits without a time limit', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { keepAlive: NO_PINGS }, b: { keepAlive: NO_PINGS } });
    await a.send(at, 'note', utf8('early'));
    await f.until('the one-way waits in the queue', () => b.snapshot().waiting === 1);
    await f.advance(30_000, 1_000);
    t.is(textOf((await b.consumer('note').next()).value.request), 'early');
    t.is(f.count(b, 'onewayDropped'), 0);
  });

  test('once a reader exists, calls of methods without a reader fail with unimplemented', async (f, t) => {
    const { a, b, at } = await f.pair();
    serve(b, { echo: (request) => request });
    await rejected(t, a.send(at, 'brisk', utf8('')), { code: 'unimplemented', origin: 'remote' });
    await a.send(at, 'note', utf8(''));
    t.is(textOf(await a.send(at, 'echo', utf8('mine'))), 'mine');
    await f.until('the dropped one-way is counted', () => f.count(b, 'onewayDropped') === 1);
  });

  test('two handlers for one method, or a consumer of a served one, are a TypeError', async (f, t) => {
    const { b } = await f.pair();
    const server = serve(b, { echo: (request) => request });
    t.throws(() => serve(b, { echo: (request) => request }), { instanceOf: TypeError });
    t.throws(() => serve(b, { brisk: (request) => request, echo: (request) => request }), {
      instanceOf: TypeError,
    });
    t.throws(() => b.consumer('echo'), { instanceOf: TypeError });
    serve(b, { brisk: (request) => request });
    await server.stop();
    serve(b, { echo: (request) => request });
    const wrong = b.consumer as (...methods: string[]) => unknown;
    t.throws(() => wrong.call(b, 'nonsense'), { instanceOf: TypeError });
    for (const [handlers, options, message] of [
      [{ nonsense: () => undefined }, {}, /no method 'nonsense'; it has /],
      [{ brisk: 5 }, {}, /handler of 'brisk' must be a function/],
      ...[0, -1, Number.NaN].map((concurrency) => [{}, { concurrency }, /concurrency/] as const),
    ] as const)
      t.throws(() => serve(b, handlers as never, options), { instanceOf: TypeError, message });
    t.throws(() => serve({} as never, {}), { instanceOf: TypeError });
    serve(b, { note: undefined });
  });

  test('concurrency bounds how many handlers run, whose `this` is their object, and a stop waits for them at most for its grace', async (f, t) => {
    const { a, b, at } = await f.pair();
    const running: string[] = [];
    class Service {
      readonly #name = 'mine';
      echo = function (this: Service, request: Uint8Array) {
        running.push(`${this.#name} ${textOf(request)}`);
        return new Promise<never>(() => undefined);
      };
    }
    const server = serve(b, new Service() as never, { concurrency: 2 });
    const calls = ['one', 'two', 'three'].map((name) =>
      a.send(at, 'echo', utf8(name), { timeout: Infinity }),
    );
    await f.until('the third call waits in the queue', () => b.snapshot().waiting === 1);
    t.deepEqual(running, ['mine one', 'mine two']);
    void server.stop({ grace: 100 });
    const states = calls.map(watch);
    f.clock.advance(99);
    await f.turns();
    t.false(states.some(({ settled }) => settled));
    f.clock.advance(1);
    for (const call of calls.slice(0, 2))
      await rejected(t, call, { code: 'unavailable', origin: 'remote', sent: true });
    serveKit(b);
    t.is(textOf(await (calls[2] as Promise<Uint8Array>)), 'three');
  });

  test('a stop that ends in time leaves no timer, and a closed transport serves nothing', async (f, t) => {
    const b = f.create(kit);
    await serve(b, { echo: (request) => request }).stop({ grace: 5_000 });
    t.is(f.clock.timers, 0);
    await f.drive(b.close());
    await serve(b, { echo: (request) => request }).stop();
  });
};
