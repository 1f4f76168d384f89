// Cases about the limits of a stream: its window, the size of an item, and the number of concurrent
// streams.

import type { TransportError } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import {
  deferred,
  listOf,
  pattern,
  streamOf,
  textOf,
  utf8,
  watch,
} from '../../transport/values.ts';
import { served } from './shared.ts';

export const streamBoundCases: Cases = (test) => {
  test('an item above the limit is refused where it is written, and names both sizes', async (f, t) => {
    const { a, b, at } = await f.pair({
      a: { limits: { item: 5_000 } },
      b: { limits: { item: 5_000 } },
    });
    const refused = deferred<unknown>();
    serveKit(b, {
      async range(_request, rpc) {
        await rpc.write(pattern(5_000));
        await rpc.write(pattern(5_001)).catch((error: unknown) => refused.resolve(error));
      },
    });
    const up = await rejected(
      t,
      a.send(at, 'gather', utf8(''), { upload: streamOf([pattern(5_000), pattern(5_001)]) }),
      { code: 'resource_exhausted' },
    );
    t.regex(up.message, /5,?001/);
    await listOf(await a.send(at, 'range', utf8(''))).catch(() => undefined);
    const down = (await f.event(
      'the error of the refused write',
      refused.promise,
    )) as TransportError;
    t.is(down.code, 'resource_exhausted');
    t.regex(down.message, /5,?000/);
  });

  test('a download that nobody reads stops its writer within one window', async (f, t) => {
    let written = 0;
    const { a, at } = await served(f, {
      async range(_request, rpc) {
        for (;;) {
          await rpc.write(pattern(10_000));
          written++;
        }
      },
    });
    const items = (await a.send(at, 'range', utf8('')))[Symbol.asyncIterator]();
    await items.next();
    await f.until('the window is full', () => written >= 20);
    await f.turns(20);
    const stopped = written;
    t.true(stopped <= 200, `${stopped} items of 10,000 bytes went out unread`);
    t.is(textOf(await a.send(at, 'echo', utf8('free'))), 'free');
    for (let i = 0; i < stopped; i++) await items.next();
    await f.until('the writer continues once items are read', () => written > stopped);
    await items.return?.();
  });

  test("an upload's iterator is told once the callee has taken items", async (f, t) => {
    const gate = deferred();
    const { a, at } = await served(f, {
      async gather(_request, rpc) {
        await gate.promise;
        for await (const _ of rpc.upload);
        return utf8('all');
      },
    });
    let pulled = 0;
    let taken = 0;
    const upload = {
      [Symbol.asyncIterator]: () => ({
        next: async () =>
          pulled < 1_000 && taken === 0
            ? { value: pattern(10_000 + pulled++), done: false as const }
            : { value: undefined, done: true as const },
        [Symbol.for('trunkline.taken')]: () => void taken++,
      }),
    };
    const answer = a.send(at, 'gather', utf8(''), { upload });
    await f.until('the window is full', () => pulled >= 5);
    await f.turns(20);
    t.is(taken, 0);
    gate.resolve();
    t.is(textOf(await answer), 'all');
    t.true(taken > 0);
  });

  test('an upload is pulled no faster than it is read', async (f, t) => {
    const gate = deferred();
    let pulled = 0;
    const { a, at } = await served(f, {
      async gather(_request, rpc) {
        await gate.promise;
        for await (const _ of rpc.upload);
        return utf8('all');
      },
    });
    async function* source() {
      for (; pulled < 500; pulled++) yield pattern(10_000);
    }
    const call = a.send(at, 'gather', utf8(''), { upload: source() });
    await f.until('the window is full', () => pulled >= 20);
    await f.turns(20);
    t.true(pulled <= 200, `${pulled} items of 10,000 bytes were pulled unread`);
    gate.resolve();
    t.is(textOf(await call), 'all');
    t.is(pulled, 500);
  });

  // Each item costs 64 bytes, which bounds even empty ones.
  test('empty items are limited, too', async (f, t) => {
    let written = 0;
    const { a, at } = await served(f, {
      async range(_request, rpc) {
        for (;;) {
          await rpc.write(new Uint8Array(0));
          written++;
        }
      },
    });
    const items = (await a.send(at, 'range', utf8('')))[Symbol.asyncIterator]();
    await items.next();
    for (let before = -1; before < written && written <= 20_000; ) {
      before = written;
      await f.turns(20);
    }
    t.true(written <= 20_000, `${written} empty items went out unread`);
    await items.return?.();
  });

  test('ten thousand tiny streams all complete', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { timeout: Infinity } });
    serveKit(b, {
      async *range(request) {
        yield request;
      },
    });
    let right = 0;
    const run = async (from: number) => {
      for (let i = from; i < 10_000; i += 100) {
        for await (const item of await a.send(at, 'range', utf8(String(i))))
          if (textOf(item) === String(i)) right++;
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, from) => run(from)));
    t.is(right, 10_000);
    t.is(a.snapshot().connections[0]?.streams, 0);
  });

  test('more streams than the limit wait for one to end', async (f, t) => {
    const limits = { streams: 4 };
    const gates: (() => void)[] = [];
    const { a, b, at } = await f.pair({ a: { limits }, b: { limits } });
    serveKit(b, {
      async *range() {
        await new Promise<void>((resolve) => gates.push(resolve));
        yield utf8('done');
      },
    });
    const calls = Array.from(
      { length: 8 },
      async () => (await listOf(await a.send(at, 'range', utf8('')))).length,
    );
    const all = watch(Promise.all(calls));
    await f.until('four streams are being handled', () => gates.length === 4);
    await a.send(at, 'echo', utf8(''));
    await f.turns();
    t.is(gates.length, 4);
    t.false(all.settled);
    for (let i = 0; i < 8; i++) {
      await f.until(`stream ${i} is being handled`, () => gates.length > i);
      gates[i]?.();
    }
    t.deepEqual(await Promise.all(calls), Array(8).fill(1));
  });
};
