// Cases about one-way calls: queued in order, delivered before a graceful close, and counted when
// they are lost.

import { serve } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import { kit, side } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, equalBytes, pattern, textOf, utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

export const oneWayCases: Cases = (test) => {
  test('a one-way resolves to undefined without waiting for its handler', async (f, t) => {
    const got = deferred<string>();
    const never = deferred();
    const { a, at } = await served(f, {
      note(request) {
        got.resolve(textOf(request));
        return never.promise;
      },
    });
    t.is(await a.send(at, 'note', utf8('by the way')), undefined);
    t.is(await f.event('the request', got.promise), 'by the way');
    never.resolve();
  });

  test('a long one-way arrives complete', async (f, t) => {
    const got = deferred<Uint8Array>();
    const { a, at } = await served(f, { note: (request) => got.resolve(request) });
    await a.send(at, 'note', pattern(3_000_000));
    t.true(equalBytes(await f.event('the request', got.promise), pattern(3_000_000)));
  });

  test('a one-way has no response, and its fail is false and counted', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('note');
    await a.send(at, 'note', utf8(''));
    const { value: rpc } = await consumer.next();
    t.throws(() => (rpc as { respond?(value: unknown): void }).respond!(1), {
      instanceOf: TypeError,
      message: "rpc.respond: 'note' is oneway and has no answer",
    });
    t.false(rpc.fail(new Error('nobody hears this')));
    t.true(
      (b.snapshot().counters.lateAnswer ?? 0) + (b.snapshot().counters.onewayDropped ?? 0) > 0,
    );
  });

  test('a handler of a one-way that throws affects no other call', async (f, t) => {
    let notes = 0;
    const { a, at } = await served(f, {
      note() {
        notes++;
        throw new Error('nobody hears this either');
      },
    });
    for (let i = 0; i < 10; i++) await a.send(at, 'note', utf8(''));
    t.is(textOf(await a.send(at, 'echo', utf8('well'))), 'well');
    t.is(notes, 10);
  });

  test('a one-way for an unknown protocol is dropped and counted', async (f, t) => {
    const { a, b, at } = await served(f);
    const other = a.mount(side);
    await other.send(at, 'note', utf8('hello?'));
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    await f.until('the dropped one-way is counted', () => f.count(b, 'onewayDropped') === 1);
    t.is(b.remotes().length, 1);
  });

  test('a one-way that waits for room ends at its deadline and is never sent late', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('note');
    await a.dial(at);
    let taken = 0;
    while (a.trySend(at, 'note', pattern(10_000))) taken++;
    const waiting = a.send(at, 'note', utf8('expired'), { timeout: 300 });
    await f.turns(5);
    f.clock.advance(301);
    await rejected(t, waiting, { code: 'deadline_exceeded', sent: false });
    for (let i = 0; i < taken; i++) await consumer.next();
    await a.send(at, 'note', utf8('fresh'));
    t.is(textOf((await consumer.next()).value.request), 'fresh');
  });

  test('one-ways that were accepted are delivered before a graceful close ends', async (f, t) => {
    let notes = 0;
    const { a, at } = await served(f, { note: () => void notes++ });
    for (let i = 0; i < 500; i++) void a.send(at, 'note', pattern(200));
    await a.send(at, 'note', utf8('the last'));
    await a.close();
    await f.until('all one-ways have arrived', () => notes === 501);
    t.is(notes, 501);
  });

  test('a one-way that is lost after it was accepted is counted', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeB: { wrap: wire.wrap } });
    let notes = 0;
    serveKit(b, { note: () => void notes++ });
    const remote = await a.dial(at);
    wire.freeze();
    // The messages exceed the pipe, so some of the accepted ones cannot have been sent yet.
    for (let i = 0; i < 5; i++) await a.send(at, 'note', pattern(1_000_000));
    await f.turns();
    wire.cut();
    await f.until('the connection is gone', () => remote.closed);
    t.is(notes, 0);
    t.is(f.count(a, 'onewayLost'), 5);
    t.is(a.snapshot().counters.onewayLost, 5);
  });

  test('short one-ways that left, and for which no credit came back, are counted as lost', async (f, t) => {
    const wire = createWire();
    const { a, at } = await served(f, {}, { placeB: { wrap: wire.wrap } });
    const remote = await a.dial(at);
    await a.send(remote, 'echo', utf8(''));
    wire.freeze();
    for (let i = 0; i < 150; i++) await a.send(remote, 'note', pattern(1_000));
    for (let i = 0; i < 150; i++) t.true(a.trySend(remote, 'note', pattern(1_000)));
    await f.turns();
    wire.cut();
    await f.until('the connection is gone', () => remote.closed);
    t.is(f.count(a, 'onewayLost'), 300);
  });

  test('one-ways that their reader took are not lost, and those that it did not take are', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    serve(b, { echo: (request) => request });
    const consumer = b.consumer('note');
    const remote = await a.dial(at);
    for (let i = 0; i < 300; i++) await a.send(remote, 'note', pattern(i * 10));
    for (let i = 0; i < 3; i++) await a.send(remote, 'note', pattern(100_000));
    for (let i = 0; i < 100; i++) await consumer.next();
    // Asking for another call marks the previous one as done.
    const next = consumer.next();
    await next;
    await f.advance(100, 100);
    for (let i = 0; i < 3; i++) await a.send(remote, 'echo', utf8(''));
    wire.cut();
    await f.until('the connection is gone', () => remote.closed);
    t.is(f.count(a, 'onewayLost'), 203);
  });

  test('a connection that closes gracefully loses no one-way', async (f, t) => {
    let notes = 0;
    const { a, b, at } = await served(f, { note: () => void notes++ });
    const remote = await a.dial(at);
    for (let i = 0; i < 300; i++) void a.send(remote, 'note', pattern(1_000));
    await f.drive(a.disconnect(remote));
    f.link(a, b);
    for (let i = 0; i < 300; i++) void a.send(at, 'note', pattern(1_000));
    await a.send(at, 'note', pattern(1_000));
    await f.drive(a.close());
    await f.until('all one-ways have arrived', () => notes === 601);
    t.is(f.count(a, 'onewayLost'), 0);
    t.is(f.count(b, 'onewayDropped'), 0);
  });

  test('a one-way whose handler still runs keeps its credit, and counts as lost if the connection breaks', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    const running: (() => void)[] = [];
    serveKit(b, { note: () => new Promise<void>((resolve) => running.push(resolve)) });
    const remote = await a.dial(at);
    for (let i = 0; i < 10; i++) await a.send(remote, 'note', pattern(1_000));
    await f.until('all ten one-ways are being handled', () => running.length === 10);
    for (const end of running.splice(0, 4)) end();
    await f.advance(100, 100);
    for (let i = 0; i < 3; i++) await a.send(remote, 'echo', utf8(''));
    wire.cut();
    await f.until('the connection is gone', () => remote.closed);
    t.is(f.count(a, 'onewayLost'), 6);
    for (const end of running) end();
  });

  test('one-way messages take no more than their account while handlers run, and continue after these have ended', async (f, t) => {
    const running: (() => void)[] = [];
    let notes = 0;
    const { a, b, at } = await f.pair({ b: { limits: { credit: { short: 64 * 1_064 } } } });
    serveKit(b, {
      note: () => {
        notes++;
        return new Promise<void>((resolve) => running.push(resolve));
      },
    });
    const remote = await a.dial(at);
    let sent = 0;
    while (a.trySend(remote, 'note', pattern(1_000))) sent++;
    // The simulation sets up to a quarter of the account aside, for duplicates.
    t.true(sent >= 48 && sent <= 64, `${sent} were sent`);
    await f.until('all one-ways that were sent are being handled', () => notes === sent);
    t.false(a.trySend(remote, 'note', pattern(1_000)));
    t.is(b.snapshot().memory, sent * 1_064);
    for (const end of running.splice(0)) end();
    await f.drive(a.writable(remote));
    t.true(a.trySend(remote, 'note', pattern(1_000)));
    await f.until('one more one-way is being handled', () => notes === sent + 1);
    for (const end of running) end();
    await f.until('the receiver holds no memory', () => b.snapshot().memory === 0);
  });

  test('many one-ways to a peer that never reads do not delay another peer', async (f, t) => {
    const a = await f.open(kit);
    const [stuck, free] = [await f.open(kit), await f.open(kit)];
    f.link(a, stuck);
    f.link(a, free);
    serveKit(free);
    await a.dial(stuck.advertiseAddr());
    while (a.trySend(stuck.advertiseAddr(), 'note', pattern(20_000)));
    t.is(textOf(await a.send(free.advertiseAddr(), 'echo', utf8('free'))), 'free');
  });
};
