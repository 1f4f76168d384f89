// Cases about streams: items arrive complete and in order, and each end learns how the other end
// has ended. The cases about readers that are slower than writers are in stream-bounds.ts.

import { TransportError } from '@trunkline/transport-core';
import { checked, rejected } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import { rangeOf, serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import {
  deferred,
  equalBytes,
  listOf,
  pattern,
  streamOf,
  textOf,
  utf8,
} from '../../transport/values.ts';
import { gathering, SubscribedItems, served } from './shared.ts';

export const streamCases: Cases = (test) => {
  test('an empty upload is answered, and an empty download ends at once', async (f, t) => {
    const { a, at } = await served(f);
    t.is(textOf(await a.send(at, 'gather', utf8(''), { upload: streamOf([]) })), '0 0');
    t.deepEqual(await listOf(await a.send(at, 'range', rangeOf(0, 0))), []);
  });

  test('items of sizes around a packet and a window arrive complete', async (f, t) => {
    const { a, at } = await served(f);
    const sizes = [0, 1, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 1_048_576];
    const back = await listOf(
      await a.send(at, 'pipe', utf8(''), {
        upload: streamOf(sizes.map((size) => pattern(size, size + 1))),
      }),
    );
    t.is(back.length, sizes.length);
    t.true(
      back.every((item, i) =>
        equalBytes(item, pattern(sizes[i] as number, (sizes[i] as number) + 1)),
      ),
    );
  });

  test('both ends of a duplex call stream at once', async (f, t) => {
    const { a, at } = await served(f, {
      async *pipe(_request, rpc) {
        yield utf8('hello');
        for await (const item of rpc.upload) yield utf8(`re: ${textOf(item)}`);
        yield utf8('bye');
      },
    });
    // Question i is sent only after item i was answered, so a call that does not stream in both
    // directions simultaneously would hang.
    const turn = [deferred(), deferred()];
    async function* questions() {
      for (const [i, gate] of turn.entries()) {
        await gate.promise;
        yield utf8(`question ${i}`);
      }
    }
    const got: string[] = [];
    for await (const item of await a.send(at, 'pipe', utf8(''), { upload: questions() })) {
      got.push(textOf(item));
      turn[got.length - 1]?.resolve();
    }
    t.deepEqual(got, ['hello', 're: question 0', 're: question 1', 'bye']);
  });

  test('an upload that throws ends the call with aborted and its cause, and cancels the handler', async (f, t) => {
    const handler = deferred<unknown>();
    const started = deferred<void>();
    const { a, at } = await served(f, {
      async gather(_request, rpc) {
        started.resolve();
        try {
          for await (const _ of rpc.upload);
        } catch (error) {
          handler.resolve(error);
        }
      },
    });
    const cause = new Error('disk error');
    async function* failing() {
      yield utf8('one');
      await started.promise;
      throw cause;
    }
    const error = await rejected(t, a.send(at, 'gather', utf8(''), { upload: failing() }), {
      code: 'aborted',
      origin: 'local',
    });
    t.is(error.cause, cause);
    checked(t, await f.event('the error of the handler', handler.promise), { code: 'cancelled' });
  });

  test('an upload whose source throws instead of rejecting ends the call with aborted, too', async (f, t) => {
    const { a, at } = await served(f, gathering());
    const cause = new TransportError('not_found', 'no such file');
    const thrown = () => {
      throw cause;
    };
    for (const iterate of [
      thrown,
      () => ({ next: thrown }),
      () => ({ next: () => Promise.reject(cause) }),
    ]) {
      const upload = { [Symbol.asyncIterator]: iterate };
      const error = await rejected(t, a.send(at, 'gather', utf8(''), { upload }), {
        code: 'aborted',
        origin: 'local',
        message: /no such file/,
      });
      t.is(error.cause, cause);
      t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    }
  });

  test('an upload whose iterator throws when it is told of taken items ends only its own call', async (f, t) => {
    const { a, at } = await served(f, gathering());
    const cause = new Error('not my items');
    let closed = 0;
    const upload = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ value: pattern(10_000), done: false as const }),
        return: async () => {
          closed++;
          return { value: undefined, done: true as const };
        },
        [Symbol.for('trunkline.taken')]: () => {
          throw cause;
        },
      }),
    };
    const error = await rejected(t, a.send(at, 'gather', utf8(''), { upload }), {
      code: 'aborted',
      origin: 'local',
      sent: true,
      message: /not my items/,
    });
    t.is(error.cause, cause);
    t.is(closed, 1);
    t.is(a.remotes().length, 1);
    t.is(textOf(await a.send(at, 'echo', utf8('goes on'))), 'goes on');
  });

  test('a download and a duplex call are iterable without being awaited', async (f, t) => {
    const { a, at } = await served(f, {
      async *range() {
        yield utf8('one');
        yield utf8('two');
        throw new TransportError('data_loss', 'the third is gone');
      },
    });
    const got: string[] = [];
    const reading = (async () => {
      for await (const item of a.send(at, 'range', utf8(''))) got.push(textOf(item));
    })();
    await rejected(t, reading, { code: 'data_loss', origin: 'remote', message: /third/ });
    t.deepEqual(got, ['one', 'two']);
    const back = await listOf(a.to(at).pipe(utf8(''), { upload: streamOf([utf8('three')]) }));
    t.deepEqual(back.map(textOf), ['three']);
  });

  test('a handler that never reads an upload may answer it', async (f, t) => {
    const { a, at } = await served(f, { gather: () => utf8('no need') });
    const endless = (async function* () {
      for (;;) yield pattern(10_000);
    })();
    t.is(textOf(await a.send(at, 'gather', utf8(''), { upload: endless })), 'no need');
    t.is(textOf(await a.send(at, 'gather', utf8(''), { upload: streamOf([]) })), 'no need');
    await f.until('no stream is open', () => a.snapshot().connections[0]?.streams === 0);
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
  });

  test("a handler's signal aborts when the timeout of a streaming call has passed", async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('range');
    const items = (await a.send(at, 'range', utf8(''), { timeout: 700 }))[Symbol.asyncIterator]();
    const { value: rpc } = await consumer.next();
    t.is(rpc.deadline, f.clock.now() + 700);
    const read = rejected(t, items.next(), { code: 'deadline_exceeded', sent: true });
    f.clock.advance(701);
    await read;
    await f.until('the signal of the handler is aborted', () => rpc.signal.aborted);
    await rejected(t, rpc.write(utf8('late')), { code: 'deadline_exceeded' });
  });

  test('a connection cut in the middle ends both halves of every stream', async (f, t) => {
    const wire = createWire();
    const handler = deferred<unknown>();
    const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    serveKit(b, {
      async *pipe(_request, rpc) {
        try {
          yield utf8('ready');
          for await (const item of rpc.upload) yield item;
        } catch (error) {
          handler.resolve(error);
          throw error;
        }
      },
    });
    // Not a generator, whose `return` would wait for the `next` that never resolves.
    const source = new SubscribedItems();
    const items = (await a.send(at, 'pipe', utf8(''), { upload: source }))[Symbol.asyncIterator]();
    t.is(textOf((await items.next()).value), 'ready');
    wire.cut();
    await rejected(t, items.next(), { code: 'unavailable', sent: true });
    await f.event('the return of the iterator', source.returned.promise);
    checked(t, await f.event('the error of the handler', handler.promise), { code: 'unavailable' });
    t.is((await listOf(await a.send(at, 'range', rangeOf(3, 1)))).length, 3);
  });
};
