// Cases about deadlines: they start at `send`, run on the transport's clock alone, travel to the
// handler, and share one timer.

import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import type { ManualClock } from '@trunkline/transport-core/testing';
import { misused, rejected } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import { kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, listOf, pattern, textOf, utf8, watch } from '../../transport/values.ts';
import { SubscribedItems, served } from './shared.ts';

export const deadlineCases: Cases = (test) => {
  test("the timeout of a call overrides that of its method, which overrides the transport's", async (f, t) => {
    const { a, b, at } = await f.pair({ a: { timeout: 3_000 } });
    const consumer = b.consumer();
    const calls = [
      a.send(at, 'brisk', utf8(''), { timeout: 200 }),
      a.send(at, 'brisk', utf8('')),
      a.send(at, 'echo', utf8('')),
    ];
    const states = calls.map(watch);
    for (let i = 0; i < 3; i++) await consumer.next();
    for (const [at, settled] of [
      [200, 1],
      [300, 2],
      [2_500, 3],
    ] as const) {
      f.clock.advance(at);
      await f.turns();
      t.is(states.filter((state) => state.settled).length, settled);
    }
    for (const call of calls) await rejected(t, call, { code: 'deadline_exceeded' });
  });

  test('an infinite timeout never fires, and one above 2^31 - 1 ms fires late, not at once', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer();
    const endless = a.send(at, 'echo', utf8('endless'), { timeout: Infinity });
    const { value: first } = await consumer.next();
    const long = a.send(at, 'echo', utf8('long'), { timeout: 2 ** 31 + 5_000 });
    const { value: second } = await consumer.next();
    const states = [watch(endless), watch(long)];
    t.is(first?.deadline, undefined);
    await f.advance(8_000);
    t.false(states.some(({ settled }) => settled));
    if (first?.method === 'echo') first.respond(utf8('one'));
    if (second?.method === 'echo') second.respond(utf8('two'));
    t.is(textOf(await endless), 'one');
    t.is(textOf(await long), 'two');
  });

  test('an invalid timeout is refused at once, and nothing is sent', async (f, t) => {
    const { a, at } = await served(f);
    for (const timeout of [
      ...[-1, Number.NaN, Number.NEGATIVE_INFINITY, 0],
      ...(['30000', true, 5n, [5], { valueOf: () => 5 }, null] as unknown as number[]),
    ])
      await misused(t, a.send(at, 'echo', utf8(''), { timeout }));
    t.is(a.remotes().length, 0);
  });

  test('a call that waits for its connection ends on time and is never sent', async (f, t) => {
    const wire = createWire();
    const b = await f.open(kit, {}, { wrap: wire.wrap });
    const a = await f.open(kit);
    f.link(a, b);
    let served = 0;
    serveKit(b, { note: () => void served++ });
    wire.freeze();
    const calls = [
      a.send(b.advertiseAddr(), 'echo', utf8(''), { timeout: 400 }),
      a.send(b.advertiseAddr(), 'note', utf8(''), { timeout: 400 }),
    ];
    await f.turns();
    f.clock.advance(401);
    for (const call of calls) await rejected(t, call, { code: 'deadline_exceeded', sent: false });
    wire.thaw();
    t.is(textOf(await a.send(b.advertiseAddr(), 'echo', utf8('now'))), 'now');
    t.is(served, 0);
  });

  test('a thousand deadlines do not need a timer each', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer();
    const first = a.send(at, 'echo', utf8(''), { timeout: 600 });
    await consumer.next();
    const before = f.clock.timers;
    const calls = [first];
    for (let i = 0; i < 1_000; i++)
      calls.push(a.send(at, 'echo', utf8(''), { timeout: 600 + (i % 300) }));
    for (let i = 0; i < 1_000; i++) await consumer.next();
    t.true(
      f.clock.timers <= before + 2,
      `${before} timers before, ${f.clock.timers} with a thousand calls`,
    );
    f.clock.advance(1_000);
    for (const call of calls) await rejected(t, call, { code: 'deadline_exceeded' });
  });

  test('the error of a stream that times out says how many items arrived, and how long it was silent', async (f, t) => {
    const gate = deferred();
    const { a, b, at } = await f.pair({ b: { clock: f.newClock() } });
    serveKit(b, {
      async *range() {
        for (let i = 0; i < 13; i++) yield utf8('line');
        await gate.promise;
        yield utf8('the last line');
        await new Promise(() => undefined);
      },
    });
    const items = (await a.send(at, 'range', utf8(''), { timeout: 2_000 }))[Symbol.asyncIterator]();
    for (let i = 0; i < 13; i++) await items.next();
    f.clock.advance(400);
    gate.resolve();
    await items.next();
    const last = items.next();
    f.clock.advance(1_600);
    await rejected(t, last, {
      code: 'deadline_exceeded',
      origin: 'local',
      message: /2000 ms passed; 14 items arrived, then the stream was silent for 1600 ms/,
    });
  });

  test('a download whose deadline passes before its first item says that none arrived', async (f, t) => {
    const { a, b, at } = await f.pair();
    serve(b, {
      async *range() {
        await new Promise(() => undefined);
      },
    });
    f.clock.advance(5_000);
    const items = await a.send(at, 'range', utf8(''), { timeout: 300 });
    const first = items[Symbol.asyncIterator]().next();
    await f.turns();
    f.clock.advance(301);
    await rejected(t, first, {
      code: 'deadline_exceeded',
      message: /300 ms passed; no item arrived/,
    });
  });

  test("a stream without a reader ends at its method's timeout", async (f, t) => {
    const a = await f.open(timed);
    const b = await f.open(timed);
    f.link(a, b);
    serve(b, {
      async *range() {
        for (let i = 0; i < 1_000; i++) yield pattern(10_000);
      },
    });
    const items = await a.send(b.advertiseAddr(), 'range', utf8(''));
    const open = () => a.snapshot().connections[0]?.streams ?? 0;
    t.is(open(), 1);
    // The timeout restarts with each received item, and on a busy machine items still arrive while
    // the clock advances.
    while (open() > 0) await f.advance(1_100);
    await rejected(t, listOf(items), { code: 'deadline_exceeded' });
  });

  test("an upload that stalls ends at the transport's timeout", async (f, t) => {
    const { a, at } = await served(f, {}, { a: { timeout: 1_000 } });
    const stalled = new SubscribedItems();
    const call = a.send(at, 'gather', utf8(''), { upload: stalled });
    await f.turns();
    f.clock.advance(1_001);
    await rejected(t, call, { code: 'deadline_exceeded' });
    await f.event('the return of the iterator', stalled.returned.promise);
  });

  test('a process that slept reads received bytes before it disconnects silent peers', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { clock: f.newClock(), idleTimeout: Infinity } });
    const own = a.clock as ManualClock;
    serveKit(b);
    const remote = await a.dial(at);
    await a.send(at, 'echo', utf8(''));
    for (let i = 0; i < 5; i++) {
      own.jump(60_000);
      await f.turns(5);
    }
    t.false(remote.closed, 'a sleep accuses nobody');
    t.is(textOf(await a.send(at, 'echo', utf8('good morning'))), 'good morning');
  });
};

/** A protocol with a stream whose method has a timeout. */
const timed = defineProtocol({
  name: 'testkit/timed',
  version: 1,
  channel: 0x47,
  methods: { range: { id: 1, request: bytes, download: bytes, timeout: 1_000 } },
});
