// Cases about canceling before, during and after a call: the call settles once, frees its
// resources, and affects no other call.

import { checked, rejected } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import { kit } from '../../transport/protocols.ts';
import { rangeOf, serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, pattern, textOf, utf8 } from '../../transport/values.ts';
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

  test('an abort while dialing cancels the call, and the dial with it', async (f, t) => {
    const wire = createWire();
    const b = await f.open(kit, {}, { wrap: wire.wrap });
    const a = await f.open(kit);
    f.link(a, b);
    wire.freeze();
    const controller = new AbortController();
    const call = a.send(b.advertiseAddr(), 'echo', utf8(''), { signal: controller.signal });
    await f.turns();
    controller.abort('enough');
    const error = await rejected(t, call, { code: 'cancelled', sent: false });
    t.is(error.cause, 'enough');
    wire.thaw();
    await f.until('the dial has ended', () => a.snapshot().dialing.length === 0 && wire.live === 0);
    t.deepEqual(a.remotes(), []);
  });

  test("an abort in flight cancels the call, and the handler's signal aborts", async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('echo');
    const controller = new AbortController();
    const call = a.send(at, 'echo', utf8(''), { signal: controller.signal });
    const { value: rpc } = await consumer.next();
    const aborted = new Promise<void>((resolve) =>
      rpc.signal.addEventListener('abort', () => resolve()),
    );
    controller.abort('enough');
    const error = await rejected(t, call, { code: 'cancelled', sent: true, origin: 'local' });
    t.is(error.cause, 'enough');
    await aborted;
    t.false(rpc.respond(utf8('nobody waits')));
    t.is(f.count(b, 'lateAnswer'), 1);
  });

  test('an abort after the answer changes nothing', async (f, t) => {
    const { a, at } = await served(f);
    const controller = new AbortController();
    const call = a.send(at, 'echo', utf8('done'), { signal: controller.signal });
    await call;
    controller.abort();
    t.is(textOf(await call), 'done');
    t.is(textOf(await a.send(at, 'echo', utf8('and on'))), 'and on');
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

  test('one signal for thousands of calls keeps no listeners of calls that have settled', async (f, t) => {
    const { a, at } = await served(f);
    const counted = countListeners(new AbortController().signal);
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 100 }, () => a.send(at, 'echo', utf8(''), { signal: counted.signal })),
      );
    }
    t.is(counted.listeners, 0);
    await rejected(
      t,
      a.send(f.backend.unreachable(), 'echo', utf8(''), { signal: counted.signal }),
      { code: 'unavailable' },
    );
    t.is(counted.listeners, 0);
  });

  test('one abort cancels every call that has its signal, and no other', async (f, t) => {
    const gate = deferred<Uint8Array>();
    const { a, at } = await served(f, { echo: () => gate.promise });
    const controller = new AbortController();
    const cancelled = Array.from({ length: 50 }, () =>
      a.send(at, 'echo', utf8(''), { signal: controller.signal }),
    );
    const kept = Array.from({ length: 50 }, () => a.send(at, 'echo', utf8('')));
    await a.send(at, 'brisk', utf8(''));
    controller.abort();
    for (const call of cancelled) await rejected(t, call, { code: 'cancelled', sent: true });
    gate.resolve(utf8('kept'));
    for (const call of kept) t.is(textOf(await call), 'kept');
  });

  test('leaving the loop of a download cancels the call', async (f, t) => {
    const ended = deferred<unknown>();
    let signal: AbortSignal | undefined;
    const { a, at } = await served(f, {
      async range(_request, rpc) {
        signal = rpc.signal;
        try {
          for (;;) await rpc.write(utf8('more'));
        } catch (error) {
          ended.resolve(error);
          throw error;
        }
      },
    });
    for await (const item of await a.send(at, 'range', utf8(''))) {
      t.is(textOf(item), 'more');
      break;
    }
    checked(t, await f.event('the error of the handler', ended.promise), { code: 'cancelled' });
    t.true(signal?.aborted);
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

  test('an abort in the middle of a download rejects the next read', async (f, t) => {
    const { a, at } = await served(f);
    const controller = new AbortController();
    const items = (
      await a.send(at, 'range', rangeOf(10_000, 1_000), { signal: controller.signal })
    )[Symbol.asyncIterator]();
    await items.next();
    controller.abort('stop');
    const rest = (async () => {
      while (!(await items.next()).done);
    })();
    const error = await rejected(t, rest, { code: 'cancelled' });
    t.is(error.cause, 'stop');
    t.is((await items.next()).done, true);
  });

  test('an abort of a long message in the middle leaves the connection clean', async (f, t) => {
    const { a, at } = await served(f, { brisk: () => new Promise(() => undefined) });
    const remote = await a.dial(at);
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController();
      const call = a.send(at, 'brisk', pattern(2_000_000), {
        signal: controller.signal,
        timeout: Infinity,
      });
      await f.turns(i % 3);
      controller.abort();
      await rejected(t, call, { code: 'cancelled' });
      t.is(textOf(await a.send(at, 'echo', utf8('clean'))), 'clean');
    }
    t.false(remote.closed);
  });

  test('handlers that keep running after a cancel count as calls; further requests are refused without a disconnection', async (f, t) => {
    const limits = { calls: 20 };
    const { a, b, at } = await f.pair({ b: { limits } });
    const gates: (() => void)[] = [];
    serveKit(b, { brisk: () => new Promise((resolve) => gates.push(() => resolve(utf8('')))) });
    const remote = await a.dial(at);
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const controller = new AbortController();
      const call = a
        .send(at, 'brisk', utf8(''), { signal: controller.signal, timeout: Infinity })
        .catch((error: { code?: string }) => error.code);
      // A call that is canceled before it was read would not start its handler.
      if (i < 20) await f.until('the handler of the call runs', () => gates.length > i);
      else await f.turns(1);
      controller.abort();
      if ((await call) === 'resource_exhausted') refused++;
    }
    t.is(gates.length, 20, 'no more handlers run than `calls` allows');
    t.true(refused > 0 || f.count(b, 'refusedCall') > 0);
    t.false(remote.closed);
    for (const open of gates) open();
    await f.turns();
    t.is(textOf(await a.send(at, 'echo', utf8('room again'))), 'room again');
  });
};

function countListeners(signal: AbortSignal): {
  readonly signal: AbortSignal;
  readonly listeners: number;
} {
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.defineProperties(signal, {
    addEventListener: {
      value(type: 'abort', listener: () => void, options?: { once?: boolean }) {
        listeners.add(listener);
        add(type, listener, options);
      },
    },
    removeEventListener: {
      value(type: 'abort', listener: () => void) {
        listeners.delete(listener);
        remove(type, listener);
      },
    },
  });
  return {
    signal,
    get listeners() {
      return listeners.size;
    },
  };
}
