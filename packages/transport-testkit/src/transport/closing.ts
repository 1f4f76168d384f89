// Cases about closing: calls in flight get their grace period, accepted messages are flushed, the
// rest fails once, and nothing is left.

import { rejected } from './expect.ts';
import { createWire } from './faults.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, listOf, pattern, textOf, utf8, watch } from './values.ts';

export const closingCases: Cases = (define) => {
  define('close with a grace waits for calls in flight, both made and served', async (f, t) => {
    for (const closer of ['caller', 'callee'] as const) {
      const { a, b, at } = await f.pair();
      const gate = deferred<Uint8Array>();
      const running = deferred();
      serveKit(b, {
        echo() {
          running.resolve();
          return gate.promise;
        },
      });
      const call = a.send(at, 'echo', utf8(''), { timeout: Infinity });
      await f.event('the handler runs', running.promise);
      const closing = (closer === 'caller' ? a : b).close({ grace: Infinity });
      const state = watch(closing);
      await f.turns(5);
      t.false(state.settled);
      gate.resolve(utf8('in good time'));
      t.is(textOf(await call), 'in good time');
      await f.drive(closing);
    }
  });

  define(
    'after the grace open calls fail: with shutdown at this end, and with unavailable at the other',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      serveKit(a, { brisk: () => new Promise(() => undefined) });
      serveKit(b, { brisk: () => new Promise(() => undefined) });
      const made = a.send(at, 'brisk', utf8(''), { timeout: Infinity });
      const served = b.send(a.advertiseAddr(), 'brisk', utf8(''), { timeout: Infinity });
      const outcomes = [
        rejected(t, made, { code: 'shutdown', sent: true }),
        rejected(t, served, { code: 'unavailable', sent: true }),
      ];
      await f.until(
        'both calls are in progress',
        () =>
          a.snapshot().connections.reduce((sum, { calls }) => sum + calls.in, 0) === 1 &&
          b.snapshot().connections.reduce((sum, { calls }) => sum + calls.in, 0) === 1,
      );
      const closing = a.close({ grace: 1_000 });
      f.clock.advance(1_001);
      await f.drive(closing);
      await Promise.all(outcomes);
    },
  );

  define('close without a grace fails calls in flight at once', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer();
    const call = a.send(at, 'echo', utf8(''), { timeout: Infinity });
    await consumer.next();
    const failed = rejected(t, call, { code: 'shutdown', sent: true, origin: 'local' });
    await f.drive(a.close());
    await failed;
  });

  define('close during a dial ends the dial, and no connection comes up later', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    const calls = [a.send(at, 'echo', utf8('')), a.dial(at), a.writable(at)];
    const outcomes = calls.map((call) =>
      rejected(t, call as Promise<unknown>, { code: 'shutdown' }),
    );
    await f.drive(a.close());
    await Promise.all(outcomes);
    await f.turns(5);
    t.deepEqual(
      f.seen(a).events.filter((event) => event.type === 'up'),
      [],
    );
    await f.until('the other end has no connection', () => b.snapshot().connections.length === 0);
  });

  define('close during a handshake ends it, at either end', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeB: { wrap: wire.wrap } });
    wire.freeze();
    const dial = rejected(t, a.dial(at), { code: 'unavailable' });
    await f.until('the dialer is connected', () => wire.live === 1);
    const closing = b.close();
    wire.thaw();
    await f.drive(Promise.all([closing, dial]));
    t.deepEqual(b.remotes(), []);
    const second = await f.pair({ placeB: { wrap: wire.wrap } });
    wire.freeze();
    const again = rejected(t, second.a.dial(second.at), { code: 'shutdown' });
    await f.until('the dialer is connected', () => wire.live === 1);
    await f.drive(second.a.close());
    await again;
    wire.thaw();
  });

  define('both ends may close at once', async (f, t) => {
    for (let i = 0; i < 10; i++) {
      const { a, b, at } = await f.pair();
      serveKit(b);
      await a.send(at, 'echo', utf8(''));
      await f.drive(Promise.all([a.close(), b.close()]), 50);
    }
    t.pass();
  });

  define('close from inside a handler does not wait for itself', async (f, t) => {
    const { a, b, at } = await f.pair();
    const closed = deferred();
    serveKit(b, {
      async echo() {
        await b.close();
        closed.resolve();
      },
    });
    const call = rejected(t, a.send(at, 'echo', utf8('')), { code: 'unavailable', sent: true });
    await f.drive(Promise.all([call, closed.promise]));
  });

  define('close in the middle of streams ends them all, once', async (f, t) => {
    const { a, b, at } = await f.pair();
    async function* endless() {
      for (;;) {
        yield pattern(1_000);
        await f.turns(1);
      }
    }
    serveKit(b, { range: endless });
    const streams = await Promise.all([1, 2, 3].map(() => a.send(at, 'range', utf8(''))));
    const reading = streams.map((items) => rejected(t, listOf(items), { code: 'shutdown' }));
    const uploading = rejected(t, a.send(at, 'gather', utf8(''), { upload: endless() }), {
      code: 'shutdown',
    });
    await f.turns(1);
    await f.drive(a.close());
    await Promise.all([...reading, uploading]);
    await f.until('the callee has no connection', () => b.snapshot().connections.length === 0);
  });

  define('an answer given just before the close still arrives', async (f, t) => {
    const { a, b, at } = await f.pair();
    let closing: Promise<void> | undefined;
    serveKit(b, {
      echo(request, rpc) {
        rpc.respond(request);
        closing = b.close();
      },
    });
    t.is(textOf(await a.send(at, 'echo', utf8('the last word'))), 'the last word');
    await f.drive(closing as Promise<void>);
  });

  define('a large answer is flushed before the close ends', async (f, t) => {
    const { a, b, at } = await f.pair();
    const gate = deferred();
    const answered = deferred();
    serveKit(b, {
      async echo() {
        await gate.promise;
        f.clock.defer(answered.resolve);
        return pattern(200_000);
      },
    });
    const call = a.send(at, 'echo', utf8(''));
    await f.until('the call is being handled', () => b.snapshot().connections[0]?.calls.in === 1);
    gate.resolve();
    await f.event('the answer of the handler', answered.promise);
    await f.drive(b.close({ grace: 10_000 }));
    t.is((await call).length, 200_000);
  });

  define('await using closes', async (f, t) => {
    const peer = await f.open(kit);
    serveKit(peer);
    let kept: { closed: boolean } | undefined;
    const dispose = async () => {
      const transport = f.create(kit);
      f.link(transport, peer);
      try {
        kept = await transport.dial(peer.advertiseAddr());
      } finally {
        await transport[Symbol.asyncDispose]();
      }
    };
    await f.drive(dispose());
    t.true(kept?.closed);
  });

  define('a call made in the tick of the close settles once, never lost', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    await a.dial(at);
    const before = Array.from({ length: 10 }, () => a.send(at, 'echo', utf8('before')));
    const closing = a.close();
    const after = Array.from({ length: 10 }, () => a.send(at, 'echo', utf8('after')));
    const outcomes = before.map((call) =>
      call.then(textOf, (error: { code: string }) => error.code),
    );
    const refused = after.map((call) => rejected(t, call, { code: 'shutdown', sent: false }));
    await f.drive(closing);
    for (const outcome of await Promise.all(outcomes))
      t.true(outcome === 'before' || outcome === 'shutdown', outcome);
    await Promise.all(refused);
  });
};
