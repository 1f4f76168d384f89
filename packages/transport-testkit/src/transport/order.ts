// Cases about order: short messages keep their order, long ones do not delay others, and channels
// are independent.

import { serve } from '@trunkline/transport-core';
import { humble, lined, side, urgent } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, pattern, textOf, utf8 } from './values.ts';

export const orderCases: Cases = (define) => {
  define('ten calls in flight are handled and answered in order', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    await a.dial(at);
    const answered: string[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) =>
        answered.push(textOf(await a.send(at, 'echo', utf8(`${i}`)))),
      ),
    );
    t.deepEqual(answered, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  define(
    'calls and one-ways of a channel arrive as they were sent, those that waited for the dial first',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      const got: number[] = [];
      const take = (request: Uint8Array) => {
        got.push(Number(textOf(request)));
        return request;
      };
      serveKit(b, { echo: take, brisk: take, note: take });
      const pending: Promise<unknown>[] = [];
      const methods = ['note', 'echo', 'note', 'brisk'] as const;
      const send = (from: number, to: number) => {
        for (let i = from; i < to; i++)
          pending.push(a.send(at, methods[i % 4] as 'note', utf8(`${i}`)));
      };
      send(0, 100);
      await f.turns(1);
      send(100, 200);
      await pending[0];
      send(200, 300);
      await Promise.all(pending);
      await f.until('all messages have arrived', () => got.length === 300);
      t.deepEqual(
        got,
        got.map((_, i) => i),
      );
    },
  );

  define('short messages of every size to one packet keep their order', async (f, t) => {
    const { a, b, at } = await f.pair();
    const got: number[] = [];
    serveKit(b, { note: (request) => got.push(request.length) });
    const sizes = Array.from({ length: 120 }, (_, i) => (i % 7 === 0 ? 65_000 + (i % 500) : i));
    for (const size of sizes) await a.send(at, 'note', pattern(size));
    await f.until('all messages have arrived', () => got.length === sizes.length);
    t.deepEqual(got, sizes);
  });

  define('handlers start in order and end in any order', async (f, t) => {
    const { a, b, at } = await f.pair();
    const started: string[] = [];
    const gates = new Map<string, (value: Uint8Array) => void>();
    serveKit(b, {
      echo(request) {
        started.push(textOf(request));
        return new Promise((resolve) => gates.set(textOf(request), resolve));
      },
    });
    const ended: string[] = [];
    const calls = ['x', 'y', 'z'].map(async (name) =>
      ended.push(textOf(await a.send(at, 'echo', utf8(name)))),
    );
    await f.until('all three calls are being handled', () => gates.size === 3);
    t.deepEqual(started, ['x', 'y', 'z']);
    for (const name of ['z', 'x', 'y']) {
      gates.get(name)?.(utf8(name));
      await f.until(`${name} is answered`, () => ended.includes(name));
    }
    await Promise.all(calls);
    t.deepEqual(ended, ['z', 'x', 'y']);
  });

  define('short messages over a Remote keep their order in both directions', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [atA, atB]: [string[], string[]] = [[], []];
    serveKit(a, { note: (request) => atA.push(textOf(request)) });
    serveKit(b, { note: (request) => atB.push(textOf(request)) });
    const there = await a.dial(at);
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    const [back] = b.remotes();
    if (back === undefined) throw new Error('no remote');
    for (let i = 0; i < 50; i++) {
      void a.send(there, 'note', utf8(`${i}`));
      void b.send(back, 'note', utf8(`${i}`));
    }
    await f.until(
      'all messages have arrived at both ends',
      () => atA.length === 50 && atB.length === 50,
    );
    t.deepEqual(atA, atB);
    t.deepEqual(
      atA,
      atA.map((_, i) => `${i}`),
    );
  });

  define('a short call passes a long one of its own channel', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { timeout: Infinity } });
    serveKit(b);
    await a.dial(at);
    const done: string[] = [];
    const long = a.send(at, 'echo', pattern(16_000_000)).then(() => done.push('long'));
    const shorts = Array.from({ length: 20 }, () =>
      a.send(at, 'echo', pattern(64)).then(() => done.push('short')),
    );
    await Promise.all([long, ...shorts]);
    t.deepEqual(done, [...Array<string>(20).fill('short'), 'long']);
  });

  define('a short call on another channel passes a long one', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { timeout: Infinity } });
    const [sideA, sideB] = [a.mount(side), b.mount(side)];
    serveKit(b);
    serve(sideB, { echo: (request) => request });
    await a.dial(at);
    const done: string[] = [];
    const long = a.send(at, 'echo', pattern(16_000_000)).then(() => done.push('long'));
    const shorts = Array.from({ length: 20 }, () =>
      sideA.send(at, 'echo', pattern(64)).then(() => done.push('short')),
    );
    await Promise.all([long, ...shorts]);
    t.deepEqual(done, [...Array<string>(20).fill('short'), 'long']);
  });

  define('an ordered protocol keeps long messages in line with short ones', async (f, t) => {
    const a = await f.open(lined);
    const b = await f.open(lined);
    f.link(a, b);
    const got: number[] = [];
    serve(b, {
      note: (request) => got.push(request.length),
      echo(request) {
        got.push(request.length);
        return request;
      },
    });
    const at = b.advertiseAddr();
    const sizes = [10, 500_000, 11, 12, 200_000, 13, 70_000, 14];
    await Promise.all(
      sizes.map((size, i) => a.send(at, i % 2 === 0 ? 'note' : 'echo', pattern(size))),
    );
    await f.until('all messages have arrived', () => got.length === sizes.length);
    t.deepEqual(got, sizes);
  });

  define('a channel whose reader is stuck delays no other channel', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [sideA, sideB] = [a.mount(side), b.mount(side)];
    const stuck = b.consumer();
    const got: string[] = [];
    serve(sideB, { echo: (request) => request, note: (request) => got.push(textOf(request)) });
    await a.dial(at);
    while (a.trySend(at, 'note', pattern(10_000)));
    t.is(textOf(await sideA.send(at, 'echo', utf8('free'))), 'free');
    t.true(sideA.trySend(at, 'note', utf8('and one-ways too')));
    await sideA.send(at, 'echo', utf8(''));
    t.deepEqual(got, ['and one-ways too']);
    await stuck.return?.();
  });

  define('a channel of higher priority gets the greater share of a narrow wire', async (f, t) => {
    const a = await f.open(humble, { timeout: Infinity });
    const b = await f.open(humble);
    f.link(a, b);
    const at = b.advertiseAddr();
    const [urgentA, urgentB] = [a.mount(urgent), b.mount(urgent)];
    const got: string[] = [];
    const mark = (name: string) => () => {
      got.push(name);
      return utf8('');
    };
    serve(b, { echo: mark('low') });
    serve(urgentB, { echo: mark('high') });
    await a.dial(at);
    const low = Array.from({ length: 10 }, () => a.send(at, 'echo', pattern(1_000_000)));
    const high = Array.from({ length: 10 }, () => urgentA.send(at, 'echo', pattern(1_000_000)));
    await Promise.all([...low, ...high]);
    t.true(got.lastIndexOf('high') < got.length - 5, `they arrived as ${got.join(' ')}`);
  });

  define(
    'one-ways that wait for room keep their order, and one that is aborted leaves no gap',
    async (f, t) => {
      const { a, b, at } = await f.pair({ a: { timeout: Infinity } });
      const consumer = b.consumer('note');
      await a.dial(at);
      let before = 0;
      while (a.trySend(at, 'note', pattern(10_000))) before++;
      const controllers = Array.from({ length: 6 }, () => new AbortController());
      const sends = controllers.map(({ signal }, i) =>
        a.send(at, 'note', utf8(`${i}`), { signal }).catch(() => 'aborted'),
      );
      await f.turns(2);
      controllers[0]?.abort();
      controllers[3]?.abort();
      for (let i = 0; i < before; i++) await consumer.next();
      const got: string[] = [];
      for (let i = 0; i < 4; i++) got.push(textOf((await consumer.next()).value.request));
      t.deepEqual(got, ['1', '2', '4', '5']);
      t.deepEqual(await Promise.all(sends), [
        'aborted',
        undefined,
        undefined,
        'aborted',
        undefined,
        undefined,
      ]);
    },
  );

  define('thousands of messages in one tick are all handled, in order', async (f, t) => {
    const { a, b, at } = await f.pair();
    const got: number[] = [];
    const last = deferred();
    serveKit(b, {
      note(request) {
        got.push(Number(textOf(request)));
        if (got.length === 3_000) last.resolve();
      },
    });
    for (let i = 0; i < 3_000; i++) void a.send(at, 'note', utf8(`${i}`));
    await f.event('the last message', last.promise);
    t.deepEqual(
      got,
      got.map((_, i) => i),
    );
  });
};
