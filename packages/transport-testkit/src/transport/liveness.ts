// Cases about liveness: idle connections are kept or closed as configured, silent peers are
// detected, and no call waits for them. A frozen peer has a clock of its own, which stands still.

import { rejected } from './expect.ts';
import { createWire } from './faults.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, pattern, streamOf, textOf, utf8 } from './values.ts';

export const livenessCases: Cases = (define) => {
  define(
    'an unused connection is closed after idleTimeout, and the next call dials again',
    async (f, t) => {
      const { a, b, at } = await f.pair({ a: { idleTimeout: 5_000 }, b: { idleTimeout: 5_000 } });
      serveKit(b);
      await a.send(at, 'echo', utf8(''));
      const [remote] = a.remotes();
      await f.advance(4_900);
      t.false(remote?.closed);
      await f.advance(3_000);
      await f.until(
        'the connection is closed at both ends',
        () => remote?.closed === true && b.remotes().length === 0,
      );
      // If the peer closes first, the connection ends without a cause.
      const down = f.seen(a).events.find((event) => event.type === 'down');
      if (down?.type === 'down' && down.cause !== undefined) t.is(down.cause.reason, 'idle');
      t.is(textOf(await a.send(at, 'echo', utf8('again'))), 'again');
    },
  );

  define('a call in flight and a hold each keep an idle connection from closing', async (f, t) => {
    const { a, b, at } = await f.pair({
      a: { idleTimeout: 2_000, timeout: Infinity },
      b: { idleTimeout: 2_000 },
    });
    const gate = deferred<Uint8Array>();
    serveKit(b, { brisk: () => gate.promise });
    const remote = await a.dial(at);
    const call = a.send(at, 'brisk', utf8(''), { timeout: Infinity });
    await f.advance(6_000);
    t.false(remote.closed, 'a call keeps it');
    gate.resolve(utf8(''));
    await call;
    const release = a.hold(remote);
    await f.advance(3_000);
    t.false(remote.closed, 'a hold keeps it');
    release();
    release();
    await f.advance(6_000);
    await f.until('the connection is closed', () => remote.closed);
  });

  define(
    'a quiet connection whose PINGs are answered stays up, and its round trip is measured',
    async (f, t) => {
      const { a, b, at } = await f.pair({
        a: { idleTimeout: Infinity },
        b: { idleTimeout: Infinity },
      });
      serveKit(b);
      const remote = await a.dial(at);
      await f.until('the round trip is measured', () => remote.rtt !== undefined);
      for (let i = 0; i < 10; i++) {
        await f.advance(10_100, 2_000);
        await f.turns(5);
      }
      t.false(remote.closed);
      t.true((remote.rtt as number) >= 0);
      t.is(textOf(await a.send(at, 'echo', utf8('still up'))), 'still up');
    },
  );

  define(
    'a silent peer is disconnected after interval and timeout, and calls to it fail with unavailable',
    async (f, t) => {
      const wire = createWire();
      const keepAlive = { interval: 2_000, timeout: 1_000 };
      const { a, b, at } = await f.pair({
        a: { keepAlive, timeout: Infinity },
        b: { clock: f.newClock() },
        placeB: { wrap: wire.wrap },
      });
      serveKit(b, { brisk: () => new Promise(() => undefined) });
      const call = a.send(at, 'brisk', utf8(''), { timeout: Infinity });
      const failed = rejected(t, call, { code: 'unavailable', reason: 'ping_timeout', sent: true });
      await a.send(at, 'echo', utf8(''));
      const [remote] = a.remotes();
      wire.freeze();
      await f.advance(2_000);
      t.false(remote?.closed);
      await f.advance(1_500);
      await failed;
      t.true(remote?.closed);
      t.is(f.seen(a).events.filter((event) => event.type === 'down').length, 1);
      wire.thaw();
    },
  );

  define(
    'a writer whose peer reads nothing for 10 s is reset, before any PING is missed',
    async (f, t) => {
      const wire = createWire();
      const { a, b, at } = await f.pair({ a: { timeout: Infinity }, placeB: { wrap: wire.wrap } });
      serveKit(b);
      const remote = await a.dial(at);
      await a.send(remote, 'echo', utf8(''));
      wire.freeze();
      const calls = [
        a.send(remote, 'echo', pattern(2_000_000)),
        a.send(remote, 'gather', utf8(''), {
          upload: streamOf([pattern(500_000), pattern(500_000)]),
        }),
      ];
      const failures = calls.map((call) =>
        rejected(t, call, { code: 'unavailable', reason: 'reset' }),
      );
      await f.advance(9_500);
      t.false(remote.closed);
      await f.advance(1_000);
      await Promise.all(failures);
      t.true(remote.closed);
      wire.thaw();
      t.is((await a.send(at, 'echo', pattern(2_000_000))).length, 2_000_000);
    },
  );

  define('idle connections do not need a timer each', async (f, t) => {
    const own = f.newClock();
    const b = await f.open(kit, { clock: own });
    let first: number | undefined;
    for (let i = 0; i < 60; i++) {
      const client = f.create(kit);
      f.link(client, b);
      await client.dial(b.advertiseAddr());
      first ??= own.timers;
    }
    await f.until('all connections are up', () => b.remotes().length === 60);
    t.true(
      own.timers <= first! + 3,
      `${first} timers with one connection, ${own.timers} with sixty`,
    );
  });

  define(
    'a dial to a peer that accepts and sends nothing fails with handshake_timeout, and delays no other dial',
    async (f, t) => {
      const wire = createWire();
      const mute = await f.open(kit, { clock: f.newClock() }, { wrap: wire.wrap });
      const { a, b, at } = await f.pair({ a: { handshakeTimeout: 1_000 } });
      serveKit(b);
      f.link(a, mute);
      wire.freeze();
      const call = a.send(mute.advertiseAddr(), 'echo', utf8(''));
      await f.turns();
      t.is(textOf(await a.send(at, 'echo', utf8('quick'))), 'quick');
      await f.turns(5);
      f.clock.advance(1_001);
      await rejected(t, call, { code: 'unavailable', reason: 'handshake_timeout', sent: false });
      wire.thaw();
    },
  );

  define(
    'a dialer that sends nothing is disconnected in time, and the next one is served meanwhile',
    async (f, t) => {
      const wire = createWire();
      const own = f.newClock();
      const mute = await f.open(kit, { clock: own }, { wrap: wire.wrap });
      const { a, b, at } = await f.pair({ b: { handshakeTimeout: 1_000 } });
      serveKit(b);
      f.link(mute, b);
      wire.freeze();
      const silent = mute.dial(at).catch(() => undefined);
      await f.until(
        'the dialer is connected',
        () => wire.live === 1 && b.snapshot().connections.length === 1,
      );
      t.is(textOf(await a.send(at, 'echo', utf8('served'))), 'served');
      await f.advance(1_100);
      await f.until('the silent dialer is rejected', () =>
        f
          .seen(b)
          .events.some(
            (event) => event.type === 'rejected' && event.error.reason === 'handshake_timeout',
          ),
      );
      t.is(textOf(await a.send(at, 'echo', utf8('undisturbed'))), 'undisturbed');
      wire.thaw();
      wire.cut();
      await f.drive(silent);
    },
  );
};
