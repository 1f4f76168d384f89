// Cases about the limits of a stream: its window, the size of an item, and the number of concurrent
// streams.

import type { Cases } from '../../transport/suite.ts';
import { deferred, pattern, textOf, utf8 } from '../../transport/values.ts';
import { gathering, served } from './shared.ts';

export const streamBoundCases: Cases = (test) => {
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
    const { a, at } = await served(f, gathering(gate.promise));
    let pulled = 0;
    let taken = 0;
    const upload = {
      [Symbol.asyncIterator]: () => ({
        next: async () =>
          pulled < 1_000 && taken === 0
            ? { value: pattern(10_000 + pulled++), done: false as const }
            : { value: undefined, done: true as const },
        // The comment of `upload` in core's interceptors.ts describes this method.
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
    const { a, at } = await served(f, gathering(gate.promise));
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
};
