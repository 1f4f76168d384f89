// Cases about readers of incoming calls: consumers and servers share one queue, and each call goes
// to exactly one of them.

import { serve, TransportError } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import { kit } from '../../transport/protocols.ts';
import { NO_PINGS, serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, pattern, streamOf, textOf, utf8, watch } from '../../transport/values.ts';

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

  test('a consumer of some methods gets those alone, and one of the rest the rest', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [notes, rest] = [b.consumer('note', 'brisk'), b.consumer()];
    await a.send(at, 'note', utf8('a note'));
    const call = a.send(at, 'echo', utf8('an echo'));
    const note = (await notes.next()).value;
    t.is(note.method, 'note');
    const echo = (await rest.next()).value;
    t.is(echo.method, 'echo');
    if (echo.method === 'echo') echo.respond(utf8('answered'));
    t.is(textOf(await call), 'answered');
  });

  test('a consumer ends when the transport closes', async (f, t) => {
    const { b } = await f.pair();
    const [one, two] = [b.consumer(), b.consumer('echo')];
    const waiting = [one.next(), two.next()];
    await f.drive(b.close());
    for (const next of waiting) t.is((await next).done, true);
    t.is((await one.next()).done, true);
    t.is((await b.consumer().next()).done, true);
  });

  test('a consumer that ends returns calls that it has not read', async (f, t) => {
    const { a, b, at } = await f.pair();
    const first = b.consumer('echo');
    const calls = ['x', 'y', 'z'].map((name) => a.send(at, 'echo', utf8(name)));
    const { value: rpc } = await first.next();
    rpc.respond(rpc.request);
    t.is(textOf(await (calls[0] as Promise<Uint8Array>)), 'x');
    await first.return?.();
    t.is((await first.next()).done, true);
    serveKit(b);
    t.deepEqual((await Promise.all(calls)).map(textOf), ['x', 'y', 'z']);
  });

  test('calls wait in the queue until there is any reader', async (f, t) => {
    const { a, b, at } = await f.pair();
    const call = a.send(at, 'echo', utf8('early'));
    await f.until('the call waits in the queue', () => b.snapshot().waiting === 1);
    t.false(watch(call).settled);
    serveKit(b);
    t.is(textOf(await call), 'early');
    t.is(b.snapshot().waiting, 0);
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

  test('a call that is not served is refused after half of its time, if that is less than a second', async (f, t) => {
    const { a, b, at } = await f.pair();
    const call = a.send(at, 'echo', utf8(''), { timeout: 600 });
    const state = watch(call);
    await f.until('the call waits in the queue', () => b.snapshot().waiting === 1);
    f.clock.advance(299);
    await f.turns();
    t.false(state.settled);
    f.clock.advance(1);
    await rejected(t, call, { code: 'unimplemented', origin: 'remote', sent: false });
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

  test('served methods never reach a consumer', async (f, t) => {
    const { a, b, at } = await f.pair();
    serve(b, { echo: () => utf8('fast path') });
    const consumer = b.consumer();
    const calls = [
      a.send(at, 'echo', utf8('')),
      a.send(at, 'brisk', utf8('')),
      a.send(at, 'echo', utf8('')),
    ];
    const { value: rpc } = await consumer.next();
    t.is(rpc.method, 'brisk');
    if (rpc.method === 'brisk') rpc.respond(utf8('slow path'));
    t.deepEqual((await Promise.all(calls)).map(textOf), ['fast path', 'slow path', 'fast path']);
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
    t.throws(() => serve(b, { nonsense: () => undefined } as never), { instanceOf: TypeError });
  });

  test('stop waits for running handlers, and accepts no more calls', async (f, t) => {
    const { a, b, at } = await f.pair();
    const gate = deferred<Uint8Array>();
    const running = deferred();
    const server = serve(b, {
      echo() {
        running.resolve();
        return gate.promise;
      },
    });
    const call = a.send(at, 'echo', utf8('one'));
    await f.event('the handler runs', running.promise);
    const stopping = server.stop({ grace: 10_000 });
    const state = watch(stopping);
    const late = a.send(at, 'echo', utf8('two'), { timeout: Infinity });
    await f.turns();
    t.false(state.settled);
    gate.resolve(utf8('finished'));
    t.is(textOf(await call), 'finished');
    await stopping;
    serveKit(b);
    const outcome = await late.then(textOf, (error: TransportError) => error.code);
    t.true(outcome === 'two' || outcome === 'unimplemented', outcome);
  });

  test('concurrency bounds how many handlers run at once', async (f, t) => {
    const { a, b, at } = await f.pair();
    let running = 0;
    let most = 0;
    serve(
      b,
      {
        async echo(request) {
          most = Math.max(most, ++running);
          await f.turns(1);
          running--;
          return request;
        },
      },
      { concurrency: 3 },
    );
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => a.send(at, 'echo', utf8(String(i)))),
    );
    for (const [i, answer] of answers.entries()) t.is(textOf(answer), String(i));
    t.is(most, 3);
  });

  test('callers take turns, so that a flood does not keep others waiting', async (f, t) => {
    const { a, b, at } = await f.pair();
    const c = await f.open(kit);
    f.link(c, b);
    const flood = Array.from({ length: 200 }, () => a.send(at, 'echo', utf8('flood')));
    await f.until('all calls of the flood wait in the queue', () => b.snapshot().waiting === 200);
    const single = c.send(at, 'echo', utf8('single'));
    await f.until('the single call waits in the queue, too', () => b.snapshot().waiting === 201);
    const order: string[] = [];
    serveKit(b, {
      echo(request) {
        order.push(textOf(request));
        return request;
      },
    });
    await Promise.all([single, ...flood]);
    t.true(
      order.indexOf('single') < 3,
      `it was number ${order.indexOf('single')} of ${order.length}`,
    );
  });

  test('toError lets a server hide details of errors', async (f, t) => {
    const { a, b, at } = await f.pair();
    const seen: unknown[] = [];
    const cause = new Error('password is hunter2');
    serve(
      b,
      {
        echo() {
          throw cause;
        },
      },
      {
        toError(error) {
          seen.push(error);
          return new TransportError('unknown', 'something went wrong');
        },
      },
    );
    const error = await rejected(t, a.send(at, 'echo', utf8('')), {
      code: 'unknown',
      origin: 'remote',
      message: /something went wrong/,
    });
    t.false(error.message.includes('hunter2'));
    t.deepEqual(seen, [cause]);
  });

  test('a handler may answer with respond, with its value, or later; once in all', async (f, t) => {
    const { a, b, at } = await f.pair();
    serve(b, {
      echo(_request, rpc) {
        t.true(rpc.respond(utf8('by hand')));
      },
      async brisk(_request, rpc) {
        await f.turns(1);
        t.true(rpc.respond(utf8('later')));
      },
    });
    t.is(textOf(await a.send(at, 'echo', utf8(''))), 'by hand');
    t.is(textOf(await a.send(at, 'brisk', utf8(''))), 'later');
  });

  test('an Rpc has the agreed version and the caller', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('echo');
    const call = a.send(at, 'echo', utf8(''));
    const { value: rpc } = await consumer.next();
    t.is(rpc.version, 1);
    t.is(rpc.from, b.remotes()[0]);
    t.is(rpc.upload, undefined);
    t.is(rpc.deadline, f.clock.now() + 10_000);
    rpc.respond(utf8(''));
    await call;
  });

  test('respond and fail are false when the caller is gone', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('echo');
    const calls = [a.send(at, 'echo', utf8('')), a.send(at, 'echo', utf8(''))];
    const outcomes = calls.map((call) => rejected(t, call, { code: 'shutdown', sent: true }));
    const [one, two] = [(await consumer.next()).value, (await consumer.next()).value];
    await f.drive(a.close());
    await Promise.all(outcomes);
    await f.until(
      'the signals of both calls are aborted',
      () => one.signal.aborted && two.signal.aborted,
    );
    t.is((one.signal.reason as TransportError).code, 'unavailable');
    t.false(one.respond(utf8('')));
    t.false(two.fail(new Error('')));
    t.is(f.count(b, 'lateAnswer'), 2);
  });
};
