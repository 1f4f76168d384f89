// Cases about faults of the line between two ends, injected by `faulty`: each has its documented
// outcome, on every backend.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import type { FaultyOptions } from '../faulty/faults.ts';
import { type FaultyStreamLayer, faulty } from '../faulty/faulty.ts';
import { rejected } from './expect.ts';
import type { Fixture } from './fixture.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, equalBytes, pattern, textOf, utf8 } from './values.ts';

export const faultyLineCases: Cases = (define) => {
  define('a faulty line without faults changes nothing', async (f, t) => {
    const { a, at, network } = await line(f, {});
    const large = pattern(300_000);
    t.true(equalBytes(await a.send(at, 'echo', large), large));
    t.is(network().connections, a.remotes().length);
  });

  define('a delay applies to each direction and to the dial', async (f, t) => {
    const { a, at, network } = await line(f, { delay: 100 });
    const before = f.clock.now();
    await f.drive(a.dial(at), 10);
    const dialed = f.clock.now() - before;
    // The dial crosses the line in both directions, and so do the hellos.
    t.true(dialed >= 400, `${dialed} ms`);
    const start = f.clock.now();
    t.is(textOf(await f.drive(a.send(at, 'echo', utf8('late')), 10)), 'late');
    const took = f.clock.now() - start;
    t.true(took >= 200, `${took} ms`);
    network().heal();
    t.is(textOf(await a.send(at, 'echo', utf8('at once'))), 'at once');
  });

  define('jitter delays, and never changes the order', async (f, t) => {
    const { a, at, notes } = await line(f, { jitter: 500, seed: 4 });
    await f.drive(a.dial(at), 50);
    for (let i = 0; i < 40; i++) {
      await f.drive(a.send(at, 'note', utf8(`${i}`)), 7);
      await f.advance(7);
    }
    await f.drive(a.send(at, 'echo', utf8('')), 50);
    t.deepEqual(
      notes,
      Array.from({ length: 40 }, (_, i) => `${i}`),
    );
  });

  define(
    'a slow line delivers at its bandwidth, although only 32 KiB may wait for it',
    async (f, t) => {
      const { a, at, network } = await line(f, {});
      await a.dial(at);
      network().set({ bandwidth: 100_000, window: 32_768 }, 'out');
      const start = f.clock.now();
      await f.drive(a.send(at, 'echo', pattern(200_000)), 50);
      const took = f.clock.now() - start;
      t.true(took >= 1_900, `${took} ms`); // 2 s minus the steps of the clock.
    },
  );

  define(
    'a stalled line delivers everything once it runs again, on the same connection',
    async (f, t) => {
      const { a, at, network } = await line(f, {});
      await a.send(at, 'echo', utf8(''));
      network().set({ stalled: true });
      const call = a.send(at, 'echo', utf8('held'));
      await f.advance(5_000);
      t.is(network().connections, 1);
      network().set({ stalled: false });
      t.is(textOf(await f.drive(call, 1)), 'held');
      t.is(ups(f, a), 1);
    },
  );

  define(
    'a dead line causes ping_timeout at both ends after 15 s, and the next call dials once the line works',
    async (f, t) => {
      const { a, b, at, network } = await line(f, {});
      const remote = await a.dial(at);
      await a.send(at, 'echo', utf8(''));
      await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
      network().set({ halfOpen: true });
      await f.advance(14_500);
      t.false(remote.closed);
      await f.advance(1_000);
      t.true(remote.closed);
      // The acceptor's last bytes may have arrived later.
      await f.drive(
        f.until('the connection is down at the acceptor', () => b.remotes().length === 0),
      );
      for (const end of [a, b]) {
        const down = f.seen(end).events.find((event) => event.type === 'down');
        t.is(down?.type === 'down' ? down.cause?.reason : undefined, 'ping_timeout');
      }
      network().heal();
      t.is(textOf(await f.drive(a.send(at, 'echo', utf8('again')), 1)), 'again');
    },
  );

  define(
    'a line that was dead resets the connections that lost something, at both ends',
    async (f, t) => {
      const { a, b, at, network } = await line(f, {});
      await a.send(at, 'echo', utf8(''));
      network().set({ halfOpen: true });
      const call = rejected(t, a.send(at, 'echo', utf8('lost'), { timeout: Infinity }), {
        code: 'unavailable',
        reason: 'reset',
        sent: true,
      });
      await f.turns(5);
      network().heal();
      await call;
      await f.until('the connection is down at the other end', () => b.remotes().length === 0);
      t.is(textOf(await a.send(at, 'echo', utf8('again'))), 'again');
    },
  );

  define(
    'a dial over a dead line fails with dial_timeout, and the next dial works once the line does',
    async (f, t) => {
      const { a, at, network } = await line(f, { halfOpen: true });
      await rejected(t, f.drive(a.send(at, 'echo', utf8(''))), {
        code: 'unavailable',
        reason: 'dial_timeout',
        sent: false,
      });
      network().heal();
      t.is(textOf(await a.send(at, 'echo', utf8('now'))), 'now');
    },
  );

  define(
    'a cut resets the connection at both ends: a call in flight fails as sent, and the next call dials',
    async (f, t) => {
      const { a, b, at, network } = await line(f, {}, true);
      const call = rejected(t, a.send(at, 'brisk', utf8(''), { timeout: Infinity }), {
        code: 'unavailable',
        reason: 'reset',
        sent: true,
      });
      await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
      await f.turns(5);
      network().cut();
      await call;
      await f.until('the connection is down at the other end', () => b.remotes().length === 0);
      t.is(network().connections, 0);
      t.is(textOf(await a.send(at, 'echo', utf8('again'))), 'again');
    },
  );

  define('random cuts happen after some bytes, and each call settles', async (f, t) => {
    const { a, at, network } = await line(f, { cutEvery: 30_000, seed: 11 });
    let settled = 0;
    for (let i = 0; i < 60; i++) {
      await f.drive(
        a.send(at, 'echo', pattern(1_000)).then(
          () => settled++,
          () => settled++,
        ),
        1,
      );
    }
    t.is(settled, 60);
    t.true(ups(f, a) > 1, 'some connections were cut');
    network().heal();
    t.is(textOf(await f.drive(a.send(at, 'echo', utf8('whole')), 1)), 'whole');
  });

  define(
    'altered bytes end a connection or reach a codec; each call settles, and a new connection works',
    async (f, t) => {
      const { a, at, network } = await line(f, { corruptEvery: 200, seed: 3 });
      let settled = 0;
      for (let i = 0; i < 20; i++) {
        const call = a.send(at, 'echo', pattern(500)).then(
          () => settled++,
          () => settled++,
        );
        await f.drive(call);
      }
      t.is(settled, 20);
      network().heal();
      network().cut();
      await f.until(
        'the connections with altered bytes are gone',
        () => network().connections === 0,
      );
      t.is(textOf(await f.drive(a.send(at, 'echo', utf8('clean')))), 'clean');
    },
  );

  define(
    'close ends within a second although the line is dead, and leaves nothing behind',
    async (f, t) => {
      const { a, b, at, network } = await line(f, {});
      await a.send(at, 'echo', utf8(''));
      network().set({ halfOpen: true });
      for (const end of [a, b]) {
        const closing = end.close();
        await f.advance(1_000);
        await closing;
        t.is(network().connections, 0);
      }
    },
  );
};

/**
 * Opens two transports of the kit; the caller's connections use a faulty line. See `NetworkFaults`
 * for the options. With `stuck`, the method `brisk` is never answered.
 */
async function line(f: Fixture, options: FaultyOptions, stuck = false) {
  let network: FaultyStreamLayer | undefined;
  const wrap = (layer: StreamLayer) =>
    (network = faulty(layer, { clock: f.clock, seed: 1, ...options }));
  const pair = await f.pair({ placeA: { wrap } });
  const notes: string[] = [];
  const gate = deferred<Uint8Array>();
  serveKit(pair.b, {
    note: (request) => void notes.push(textOf(request)),
    ...(stuck ? { brisk: () => gate.promise } : {}),
  });
  return { ...pair, notes, network: () => network! };
}

/** Returns the number of a transport's connections that have come up. */
function ups(f: Fixture, transport: Parameters<Fixture['seen']>[0]): number {
  return f.seen(transport).events.filter((event) => event.type === 'up').length;
}
