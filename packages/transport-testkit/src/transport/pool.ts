// Cases about the pool: concurrent calls share one dial, a connection stays open as long as it is
// useful, a lost connection is replaced, and no call is made twice.

import { TransportError } from '@trunkline/transport-core';
import { rejected } from './expect.ts';
import { createWire } from './faults.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, pattern, textOf, utf8 } from './values.ts';

export const poolCases: Cases = (define) => {
  define(
    'five calls at once share a pool of three and leave no more than three connections',
    async (f, t) => {
      const { a, b, at } = await f.pair({ a: { maxPool: 3 } });
      serveKit(b);
      await Promise.all([1, 2, 3, 4, 5].map((i) => a.send(at, 'echo', pattern(i * 100_000))));
      const idle = a.remotes().filter((remote) => remote.direction === 'out').length;
      t.true(idle >= 1 && idle <= 3, `${idle} connections`);
      t.is(
        a.snapshot().connections.reduce((sum, connection) => sum + connection.calls.out, 0),
        0,
      );
    },
  );

  define('short calls share one connection, however many they are', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    await Promise.all(Array.from({ length: 200 }, () => a.send(at, 'echo', utf8('x'))));
    t.is(a.remotes().length, 1);
    t.is(b.remotes().length, 1);
  });

  // docs/design.md, the pool
  define('calls during a dial share it', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    serveKit(b);
    const calls = [
      a.send(at, 'echo', utf8('1')),
      a.send(at, 'echo', utf8('2')),
      a.dial(at),
      a.writable(at),
      a.send(at, 'note', utf8('3')),
    ];
    t.deepEqual([...a.snapshot().dialing], [at]);
    await Promise.all(calls);
    t.is(wire.dialed, 1);
  });

  define(
    'a failed dial fails each call that waits for it with its own error, unsent',
    async (f, t) => {
      const { a } = await f.pair();
      const nowhere = f.backend.unreachable();
      const calls = [
        a.send(nowhere, 'echo', utf8('')),
        a.send(nowhere, 'note', utf8('')),
        a.dial(nowhere),
        a.writable(nowhere),
      ];
      const errors = await Promise.all(
        calls.map((call) =>
          rejected(t, call as Promise<unknown>, { code: 'unavailable', origin: 'local' }),
        ),
      );
      t.is(new Set(errors).size, errors.length, 'no error is handed out twice');
      t.is(errors[0]?.sent, false);
      t.is(errors[0]?.target, nowhere);
      t.true(
        f.seen(a).events.some((event) => event.type === 'dialFailed' && event.target === nowhere),
      );
    },
  );

  define('after a failed dial the next call dials again', async (f, t) => {
    let up = false;
    const b = await f.open(kit);
    const nowhere = f.backend.unreachable();
    const a = await f.open(kit, {
      resolve: (target) => (target === 'service' ? (up ? b.advertiseAddr() : nowhere) : target),
    });
    f.link(a, b);
    serveKit(b);
    await rejected(t, a.send('service', 'echo', utf8('')), { code: 'unavailable', sent: false });
    up = true;
    t.is(textOf(await a.send('service', 'echo', utf8('now'))), 'now');
  });

  define(
    'closeStreams drops every connection and continues to listen; calls dial again',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      serveKit(a);
      serveKit(b);
      await a.send(at, 'echo', utf8(''));
      await b.send(a.advertiseAddr(), 'echo', utf8(''));
      await f.drive(a.closeStreams());
      t.deepEqual(a.remotes(), []);
      await f.until('the connection is down at the other end', () => b.remotes().length === 0);
      f.link(a, b);
      t.is(textOf(await a.send(at, 'echo', utf8('again'))), 'again');
      t.is(textOf(await b.send(a.advertiseAddr(), 'echo', utf8('and back'))), 'and back');
    },
  );

  define('disconnect lets calls in flight end, and a later send dials again', async (f, t) => {
    const { a, b, at } = await f.pair();
    const gate = deferred<Uint8Array>();
    serveKit(b, { brisk: () => gate.promise });
    const remote = await a.dial(at);
    const call = a.send(at, 'brisk', utf8(''));
    await a.send(at, 'echo', utf8(''));
    const gone = a.disconnect(at, 'maintenance');
    gate.resolve(utf8('finished first'));
    t.is(textOf(await call), 'finished first');
    await f.drive(gone);
    t.true(remote.closed);
    f.link(a, b);
    t.is(textOf(await a.send(at, 'echo', utf8('again'))), 'again');
    t.not((await a.dial(at)).id, remote.id);
  });

  define('both ends report a disconnect as disconnected, once', async (f, t) => {
    const { a, b, at } = await f.pair();
    await a.dial(at);
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    await f.drive(a.disconnect(at));
    await f.until('the connection is down at both ends', () => b.remotes().length === 0);
    for (const end of [a, b]) {
      const downs = f.seen(end).events.filter((event) => event.type === 'down');
      t.is(downs.length, 1);
      const [down] = downs;
      if (down?.type === 'down' && down.cause !== undefined)
        t.is(down.cause.reason, 'disconnected');
    }
  });

  define('disconnect of a target that was never dialed resolves at once', async (f, t) => {
    const { a, at } = await f.pair();
    await a.disconnect(at);
    await a.disconnect(f.backend.unreachable());
    await a.closeStreams();
    t.deepEqual(a.remotes(), []);
  });

  define(
    'a disconnect that races calls leaves each settled once and the pool usable',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      serveKit(b);
      for (let i = 0; i < 20; i++) {
        f.link(a, b);
        const call = a.send(at, 'echo', utf8(`${i}`)).then(
          (answer) => t.is(textOf(answer), `${i}`),
          (error: unknown) =>
            t.true(error instanceof TransportError && error.code === 'unavailable', String(error)),
        );
        if (i % 2 === 0) await f.turns(1);
        await f.drive(a.disconnect(at), 20);
        await call;
      }
      f.link(a, b);
      t.is(textOf(await a.send(at, 'echo', utf8('clean'))), 'clean');
    },
  );

  define('resolve turns a name into an address once per dial', async (f, t) => {
    const [one, two] = [await f.open(kit), await f.open(kit)];
    serveKit(one, { echo: () => utf8('one') });
    serveKit(two, { echo: () => utf8('two') });
    let asked = 0;
    const a = await f.open(kit, {
      async resolve(target) {
        if (target !== 'leader') return target;
        return (asked++ === 0 ? one : two).advertiseAddr();
      },
    });
    f.link(a, one);
    f.link(a, two);
    t.is(textOf(await a.send('leader', 'echo', utf8(''))), 'one');
    t.is(textOf(await a.send('leader', 'echo', utf8(''))), 'one');
    t.is(asked, 1);
    await f.drive(a.disconnect('leader'));
    f.link(a, two);
    t.is(textOf(await a.send('leader', 'echo', utf8(''))), 'two');
    t.is(asked, 2);
  });

  define('a resolve that throws fails the call, unsent, with its cause', async (f, t) => {
    const cause = new Error('no such name');
    const a = await f.open(kit, {
      resolve() {
        throw cause;
      },
    });
    const error = await rejected(t, a.send('leader', 'echo', utf8('')), {
      code: 'unavailable',
      reason: 'host_not_found',
      sent: false,
    });
    t.is(error.cause, cause);
  });

  define(
    'a call whose connection is lost after it was sent fails, and is never repeated',
    async (f, t) => {
      const wire = createWire();
      const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
      let runs = 0;
      const running = deferred();
      serveKit(b, {
        brisk() {
          runs++;
          running.resolve();
          return new Promise(() => undefined);
        },
      });
      const call = a.send(at, 'brisk', utf8(''));
      await f.event('the handler runs', running.promise);
      wire.cut();
      await rejected(t, call, { code: 'unavailable', sent: true });
      t.is(textOf(await a.send(at, 'echo', utf8('another connection'))), 'another connection');
      t.is(runs, 1);
    },
  );

  define(
    'a long call that is cut off before its last packet is repeated once on another connection',
    async (f, t) => {
      const wire = createWire();
      const { a, b, at } = await f.pair({ placeB: { wrap: wire.wrap }, a: { timeout: Infinity } });
      let runs = 0;
      serveKit(b, {
        echo(request) {
          runs++;
          return utf8(String(request.length));
        },
      });
      await a.dial(at);
      wire.freeze();
      const call = a.send(at, 'echo', pattern(4_000_000));
      await f.turns(10);
      wire.cut();
      wire.thaw();
      t.is(textOf(await call), '4000000');
      t.is(runs, 1);
    },
  );

  define(
    'a call that is cut off in its answer fails as sent and is never repeated',
    async (f, t) => {
      const wire = createWire();
      const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap }, a: { timeout: Infinity } });
      let runs = 0;
      const answered = deferred();
      serveKit(b, {
        brisk() {
          runs++;
          wire.freeze();
          f.clock.defer(answered.resolve);
          return pattern(4_000_000);
        },
      });
      const call = a.send(at, 'brisk', utf8(''), { timeout: Infinity });
      await f.event('the answer of the handler', answered.promise);
      await f.turns(5);
      wire.cut();
      wire.thaw();
      await rejected(t, call, { code: 'unavailable', sent: true });
      t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
      t.is(runs, 1);
    },
  );

  define('a broken connection is not used again', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    serveKit(b);
    for (let i = 0; i < 20; i++) {
      t.is(textOf(await a.send(at, 'echo', utf8(`${i}`))), `${i}`);
      wire.cut();
    }
    t.is(wire.dialed, 20);
  });

  define(
    'a peer that restarts at its address is reached again, as another instance',
    async (f, t) => {
      const a = await f.open(kit);
      const first = await f.open(kit);
      f.link(a, first);
      serveKit(first);
      const at = first.localAddr();
      const before = await a.dial(at);
      await f.drive(first.close());
      await f.until('the connection is closed', () => before.closed);
      await rejected(t, a.send(before, 'echo', utf8('')), { code: 'unavailable', sent: false });
      const second = await f.open(kit, {}, { address: at });
      f.link(a, second);
      serveKit(second);
      t.is(textOf(await a.send(at, 'echo', utf8('back'))), 'back');
      t.not((await a.dial(at)).instance, before.instance);
    },
  );

  define(
    'calls in flight to a peer that closes fail with unavailable, and answers that it gave are delivered',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      const running = deferred();
      const heard = deferred();
      serveKit(b, {
        brisk() {
          running.resolve();
          return new Promise(() => undefined);
        },
        echo(request) {
          heard.resolve();
          return request;
        },
      });
      const pending = a.send(at, 'brisk', utf8(''), { timeout: Infinity });
      const answered = a.send(at, 'echo', utf8('kept'));
      await Promise.all([running.promise, heard.promise]);
      await f.drive(b.close());
      t.is(textOf(await answered), 'kept');
      await rejected(t, pending, { code: 'unavailable', sent: true });
    },
  );

  define(
    "a disconnect that races the peer's own close takes the connection down once",
    async (f, t) => {
      for (let i = 0; i < 10; i++) {
        const { a, b, at } = await f.pair();
        await a.dial(at);
        await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
        await f.drive(Promise.all([a.disconnect(at), b.close()]), 50);
        await f.until(
          'the connection is down at both ends',
          () => a.remotes().length === 0 && b.remotes().length === 0,
        );
        for (const end of [a, b])
          t.is(f.seen(end).events.filter((event) => event.type === 'down').length, 1);
      }
    },
  );
};
