// Cases about several protocols on one transport: they share connections, but each has its own
// name, channel, version and life cycle.

import { bytes, defineProtocol, serve, type TransportError } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import { spelled } from '@trunkline/transport-core/internal';
import { rejected } from '../../transport/expect.ts';
import { kit, side } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, textOf, utf8, watch } from '../../transport/values.ts';

export const mountCases: Cases = (test) => {
  test('mounted protocols share listener and connections and keep their calls apart', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [sideA, sideB] = [a.mount(side), b.mount(side)];
    serveKit(b, { echo: () => utf8('the first protocol') });
    serve(sideB, { echo: () => utf8('the second') });
    t.is(textOf(await a.send(at, 'echo', utf8(''))), 'the first protocol');
    t.is(textOf(await sideA.send(at, 'echo', utf8(''))), 'the second');
    t.is(a.remotes().length, 1);
    t.is(sideB.advertiseAddr(), b.advertiseAddr());
    t.is(sideA.protocol, side);
    t.is(sideA.clock, a.clock);
  });

  test('a held target stays connected until its protocol closes', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { idleTimeout: 2_000 }, b: { idleTimeout: Infinity } });
    const sideA = a.mount(side);
    sideA.hold(at);
    await f.until('the target is connected', () => a.remotes().length === 1);
    const [first] = a.remotes();
    await f.advance(6_000);
    t.false(first!.closed, 'a hold keeps it');
    await a.disconnect(at);
    f.link(a, b); // The direct in-memory transport also removes the link.
    await f.advance(200);
    await f.until('the target is dialed again', () => a.remotes().length === 1);
    const [second] = a.remotes();
    t.not(second, first);
    await sideA.close();
    await f.advance(6_000);
    await f.until('the connection is closed', () => second!.closed);
    await f.advance(60_000);
    t.deepEqual(a.remotes(), []);
  });

  test('the accepting end calls through a mount too', async (f, t) => {
    const { a, b, at } = await f.pair();
    const remote = await a.dial(at);
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    const [back] = b.remotes();
    serve(a.mount(side), { echo: (request) => request });
    if (back === undefined || remote.closed) throw new Error('no remote');
    t.is(textOf(await b.mount(side).send(back, 'echo', utf8('back'))), 'back');
  });

  test('a name or a channel that is in use throws a TypeError', async (f, t) => {
    const { a } = await f.pair();
    a.mount(side);
    t.throws(() => a.mount(side), { instanceOf: TypeError });
    t.throws(() => a.mount(kit), { instanceOf: TypeError });
    t.throws(() => a.mount(named('testkit/other', 0x41)), { instanceOf: TypeError });
    t.throws(() => a.mount(named('testkit', 0x50)), { instanceOf: TypeError });
    a.mount(named('testkit/other', 0x51));
  });

  test('protocols without a channel get one by their names; two names that meet are a TypeError that says what to do', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [orders, ledger] = [named('orders', undefined), named('ledger', undefined)];
    serve(b.mount(orders), { echo: (request) => request });
    const mine = a.mount(orders);
    t.is(textOf(await mine.send(at, 'echo', utf8('by name'))), 'by name');
    t.throws(() => a.mount(ledger), {
      instanceOf: TypeError,
      message:
        /^channel 156 of 'ledger' is taken by 'orders' on this transport: give one of them another channel on all nodes, such as channel: 32$/,
    });
    serve(b.mount(named('ledger', 0x50)), { echo: () => utf8('a number') });
    t.is(textOf(await a.mount(named('ledger', 0x50)).send(at, 'echo', utf8(''))), 'a number');
  });

  test('closing a mount ends only that protocol', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [sideA, sideB] = [a.mount(side), b.mount(side)];
    serveKit(b);
    serve(sideB, { echo: (request) => request });
    const consumer = sideA.consumer();
    await sideA.send(at, 'echo', utf8(''));
    await f.drive(sideB.close());
    await rejected(t, sideA.send(at, 'echo', utf8('')), { code: 'unimplemented', sent: false });
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    await f.drive(sideA.close());
    t.is((await consumer.next()).done, true);
    await rejected(t, sideA.send(at, 'echo', utf8('')), { code: 'shutdown', sent: false });
    t.is(textOf(await a.send(at, 'echo', utf8('and on'))), 'and on');
    const names = a.snapshot().protocols.map(({ name }) => name);
    t.is(names.join(), 'testkit');
  });

  test('the grace of a mount is for calls in flight, and new ones are refused', async (f, t) => {
    for (const closer of ['caller', 'callee'] as const) {
      const { a, b, at } = await f.pair();
      const [sideA, sideB] = [a.mount(side), b.mount(side)];
      const [gate, running] = [deferred<Bytes>(), deferred()];
      serve(sideB, {
        echo() {
          running.resolve();
          return gate.promise;
        },
      });
      const call = sideA.send(at, 'echo', utf8(''), { timeout: Infinity });
      await f.event('the handler runs', running.promise);
      const closing = (closer === 'caller' ? sideA : sideB).close({ grace: Infinity });
      const state = watch(closing);
      const code = closer === 'caller' ? 'shutdown' : 'unimplemented';
      await rejected(t, sideA.send(at, 'echo', utf8('')), { code, sent: false });
      t.false(state.settled);
      gate.resolve(utf8('in good time'));
      t.is(textOf(await call), 'in good time');
      await f.drive(closing);
    }
  });

  test('calls in flight that outlast the grace of a mount are aborted', async (f, t) => {
    const { a, b, at } = await f.pair();
    const [sideA, sideB] = [a.mount(side), b.mount(side)];
    const consumer = sideB.consumer();
    const call = sideA.send(at, 'echo', utf8(''), { timeout: Infinity });
    await consumer.next();
    const failed = rejected(t, call, { code: 'unavailable', sent: true });
    const began = f.clock.now();
    await f.drive(sideB.close({ grace: 1_000 }), 10);
    t.true(f.clock.now() - began >= 1_000);
    await failed;
  });

  test('a protocol can be mounted again on its channel', async (f, t) => {
    const { a, b, at } = await f.pair();
    const sideB = b.mount(side);
    const first = a.mount(side);
    serve(sideB, { echo: (request) => request });
    t.is(textOf(await first.send(at, 'echo', utf8('one'))), 'one');
    await f.drive(first.close());
    const second = a.mount(side);
    t.is(textOf(await second.send(at, 'echo', utf8('two'))), 'two');
    await f.drive(sideB.close());
    serve(b.mount(side), { echo: () => utf8('another') });
    t.is(textOf(await second.send(at, 'echo', utf8('three'))), 'another');
  });

  test('listen on a mount is that of the root', async (f, t) => {
    const root = f.create(kit);
    const mounted = root.mount(side);
    await mounted.listen();
    t.is(root.localAddr(), mounted.localAddr());
    const a = await f.open(kit);
    f.link(a, root);
    serveKit(root);
    t.is(textOf(await a.send(root.advertiseAddr(), 'echo', utf8('heard'))), 'heard');
  });

  test('ends without a common version report it once to both observers, and to the dialer unless another protocol is shared', async (f, t) => {
    const a = await f.open(versioned(1, []));
    const b = await f.open(versioned(7, [6]));
    f.link(a, b);
    const at = b.advertiseAddr();
    const error = await rejected(t, a.dial(at), {
      code: 'failed_precondition',
      reason: 'version_mismatch',
      sent: false,
    });
    t.is(error.target, at);
    const mismatches = (transport: typeof a) =>
      f.seen(transport).events.filter(({ type }) => type === 'mismatch') as {
        protocol: string;
        error: TransportError;
      }[];
    await f.until(
      'both observers report a mismatch',
      () => mismatches(a).length > 0 && mismatches(b as never).length > 0,
    );
    for (const told of [mismatches(a), mismatches(b as never)]) {
      t.deepEqual(
        told.map(({ protocol, error: { reason } }) => [protocol, reason]),
        [['testkit/versioned', 'version_mismatch']],
      );
    }
    const [sideA, sideB] = [a.mount(side), b.mount(side)];
    serve(sideB, { echo: (request) => request });
    await sideA.send(at, 'echo', utf8(''));
    t.is((await a.dial(at)).addr, spelled(at));
    t.is(mismatches(a).length, 1);
  });

  test('a dial to a peer that has mounted nothing that is mounted here rejects, and names both lists', async (f, t) => {
    const a = await f.open(named('testkit/x', 0x50));
    const b = await f.open(named('testkit/y', 0x51));
    f.link(a, b);
    const at = b.advertiseAddr();
    const error = await rejected(t, a.dial(at), {
      code: 'failed_precondition',
      reason: 'no_shared_protocol',
      sent: false,
    });
    t.is(error.target, at);
    t.regex(error.message, /'testkit\/x'.*'testkit\/y'/);
    const mounted = a.mount(side);
    serve(b.mount(side), { echo: (request) => request });
    t.is(textOf(await mounted.send(at, 'echo', utf8('fine'))), 'fine');
    t.is((await mounted.dial(at)).addr, spelled(at));
  });
};

function named<const N extends string>(name: N, channel: number | undefined) {
  return defineProtocol({
    name,
    version: 1,
    channel,
    methods: { echo: { id: 1, request: bytes, response: bytes } },
  });
}

function versioned(version: number, accepts: number[]) {
  return defineProtocol({
    name: 'testkit/versioned',
    version,
    accepts,
    channel: 0x50,
    methods: { echo: { id: 1, request: bytes, response: bytes } },
  });
}
