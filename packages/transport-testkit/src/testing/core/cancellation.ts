// Cases about canceling before, during and after a call: the call settles once, frees its
// resources, and affects no other call.

import { checked, rejected } from '../../transport/expect.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, textOf, utf8 } from '../../transport/values.ts';
import { endless, served } from './shared.ts';

export const cancellationCases: Cases = (test) => {
  test('a signal that has already aborted cancels before anything is dialed', async (f, t) => {
    const { a, at } = await served(f);
    const reason = new Error('changed my mind');
    const error = await rejected(
      t,
      a.send(at, 'echo', utf8(''), { signal: AbortSignal.abort(reason) }),
      { code: 'cancelled', sent: false },
    );
    t.is(error.cause, reason);
    await f.turns();
    t.deepEqual(a.remotes(), []);
  });

  test('a signal that aborts while its call is being made cancels the call before it is sent', async (f, t) => {
    const { a, at } = await served(f);
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const upload = {
      [Symbol.asyncIterator]() {
        controller.abort(reason);
        return { next: async () => ({ value: undefined, done: true as const }) };
      },
    };
    const error = await rejected(
      t,
      a.send(at, 'gather', utf8(''), { signal: controller.signal, upload }),
      { code: 'cancelled', sent: false },
    );
    t.is(error.cause, reason);
    await f.turns();
    t.deepEqual(a.remotes(), []);
  });

  test('an abort that crosses the answer settles the call once, one way or the other', async (f, t) => {
    const { a, at } = await served(f);
    let settled = 0;
    for (let i = 0; i < 200; i++) {
      const controller = new AbortController();
      const call = a.send(at, 'echo', utf8(`${i}`), { signal: controller.signal }).then(
        (answer) => {
          settled++;
          t.is(textOf(answer), `${i}`);
        },
        (error: { code?: string }) => {
          settled++;
          t.is(error.code, 'cancelled');
        },
      );
      if (i % 3 === 0) await Promise.resolve();
      if (i % 3 === 1) await f.turns(1);
      controller.abort();
      await call;
    }
    t.is(settled, 200);
    t.is(textOf(await a.send(at, 'echo', utf8('still exact'))), 'still exact');
  });

  for (const way of ['', ' of a call that was not awaited'])
    test(`leaving the loop${way} returns the iterator of the handler`, async (f, t) => {
      const source = endless(f, 4);
      const { a, b, at } = await served(f, { range: () => source.items });
      const call = a.send(at, 'range', utf8(''));
      for await (const _ of way === '' ? await call : call) break;
      await source.returned();
      await f.until('no stream is open', () => b.snapshot().connections[0]?.streams === 0);
      t.pass();
    });

  test("an abort in the middle of an upload returns its iterator and ends the handler's loop", async (f, t) => {
    const handler = deferred<unknown>();
    const controller = new AbortController();
    let items = 0;
    const { a, at } = await served(f, {
      async gather(_request, rpc) {
        try {
          for await (const _ of rpc.upload) if (++items === 3) controller.abort('seen enough');
        } catch (error) {
          handler.resolve(error);
        }
        return utf8('nobody waits');
      },
    });
    const source = endless(f, 100);
    const call = a.send(at, 'gather', utf8(''), {
      upload: source.items,
      signal: controller.signal,
    });
    const error = await rejected(t, call, { code: 'cancelled', sent: true });
    t.is(error.cause, 'seen enough');
    await source.returned();
    checked(t, await f.event('the error of the handler', handler.promise), { code: 'cancelled' });
  });
};
