// Cases about the addresses at which a transport listens and that it advertises.

import { TransportError } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { spelled } from '@trunkline/transport-core/internal';
import { caught, rejected } from './expect.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { pattern, textOf, utf8 } from './values.ts';

export const addressCases: Cases = (define) => {
  define('listen binds an address of its own, which can be dialed at once', async (f, t) => {
    const [a, b, c] = [await f.open(kit), await f.open(kit), await f.open(kit)];
    t.is(new Set([a, b, c].map((transport) => transport.localAddr())).size, 3);
    t.false(/:0$/.test(a.localAddr()), 'the real port stands after `:0`');
    f.link(a, b);
    serveKit(b);
    t.is(textOf(await a.send(b.localAddr(), 'echo', utf8('there'))), 'there');
  });

  define('an advertised address is reported unchanged', async (f, t) => {
    const nowhere = f.backend.unreachable();
    const b = await f.open(kit, {}, { advertiseAddr: nowhere });
    t.is(b.advertiseAddr(), nowhere);
    t.not(b.localAddr(), nowhere);
    const a = await f.open(kit);
    f.link(a, b);
    t.is((await a.dial(b.localAddr())).addr, spelled(nowhere));
  });

  define('peers on live connections see an address that changes', async (f, t) => {
    const nowhere = f.backend.unreachable();
    const [a, b] = [await f.open(kit), await f.open(kit)];
    f.link(a, b);
    const before = b.advertiseAddr();
    const remote = await a.dial(b.localAddr());
    t.is(remote.addr, spelled(before));
    b.advertise(nowhere);
    t.is(b.advertiseAddr(), nowhere);
    await f.until('the peer knows the new address', () => remote.addr === spelled(nowhere));
    b.advertise([nowhere, before]);
    const both = `${spelled(nowhere)},${spelled(before)}`;
    await f.until('the peer knows both addresses', () => remote.addr === both);
    b.advertise(undefined);
    await f.until('the address is the former one', () => remote.addr === spelled(before));
    t.throws(() => b.advertise(''), { instanceOf: TypeError, message: /^advertise: / });
    t.is(b.advertiseAddr(), before);
    t.false(remote.closed);
  });

  define(UNSPECIFIED, async (f, t) => {
    const { unspecified } = f.backend;
    if (unspecified === undefined)
      throw new TypeError(`unspecified is missing: give it, or skip '${UNSPECIFIED}'`);
    const a = f.create(kit, {}, { address: unspecified });
    await rejected(t, a.listen(), {
      code: 'invalid_argument',
      reason: 'not_advertisable',
      message: /advertiseAddr/,
    });
    await f.drive(a.close());
    const b = await f.open(
      kit,
      {},
      { address: unspecified, advertiseAddr: f.backend.unreachable() },
    );
    t.is(b.advertiseAddr(), f.backend.unreachable());
  });

  define(
    'listen on an address in use fails with address_in_use, and may be tried again',
    async (f, t) => {
      const first = await f.open(kit);
      serveKit(first);
      const second = f.create(kit, {}, { address: first.localAddr() });
      await rejected(t, second.listen(), { code: 'unavailable', reason: 'address_in_use' });
      const at = first.localAddr();
      await f.drive(first.close());
      await second.listen();
      t.is(second.localAddr(), at);
      serveKit(second);
      const a = await f.open(kit);
      f.link(a, second);
      t.is(textOf(await a.send(at, 'echo', utf8('second'))), 'second');
    },
  );

  define('close frees the address', async (f, t) => {
    const first = await f.open(kit);
    const at = first.localAddr();
    await f.drive(first.close());
    const second = await f.open(kit, {}, { address: at });
    t.is(second.localAddr(), at);
  });

  define(
    'a listener that failed is tried again after 5 ms, then doubling up to a second',
    async (f, t) => {
      const listener = createFragileListener();
      const b = await f.open(kit, {}, { wrap: listener.wrap });
      serveKit(b);
      await listener.fail();
      await f.advance(4_000, 20);
      t.true(listener.tries >= 9 && listener.tries <= 13, `${listener.tries} tries in 4 s`);
      const told = f.seen(b).events.filter((event) => event.type === 'listenFailed');
      t.deepEqual(
        told.slice(0, 5).map((event) => event.retryIn),
        [5, 10, 20, 40, 80],
      );
      t.is(told.at(-1)?.retryIn, 1_000);
      listener.mend();
      await f.drive(f.until('the transport listens again', () => listener.listening));
      const a = await f.open(kit);
      f.link(a, b);
      t.is(textOf(await a.send(b.localAddr(), 'echo', utf8('back'))), 'back');
      await listener.fail();
      await f.drive(b.close());
      const tries = listener.tries;
      await f.advance(3_000);
      t.is(listener.tries, tries, 'a closed transport tries no more');
    },
  );

  define(
    'a call to an address without a listener fails with unavailable, unsent, and names the address',
    async (f, t) => {
      const a = await f.open(kit);
      const nowhere = f.backend.unreachable();
      const error = await rejected(t, a.send(nowhere, 'echo', utf8('')), {
        code: 'unavailable',
        sent: false,
        unreachable: true,
        origin: 'local',
      });
      t.is(error.target, nowhere);
      t.true(error.message.includes(nowhere), error.message);
      t.true(
        error.reason === 'connection_refused' ||
          error.reason === undefined ||
          error.reason === 'disconnected',
        error.reason,
      );
    },
  );

  define('a limit may be given alone, and omitted ones follow it', async (f, t) => {
    const b = await f.open(kit, { limits: { message: 5_000 } });
    const a = await f.open(kit, { limits: { memory: 100_000 } });
    f.link(a, b);
    serveKit(b);
    t.is((await a.send(b.advertiseAddr(), 'echo', pattern(5_000))).length, 5_000);
    await rejected(t, a.send(b.advertiseAddr(), 'echo', pattern(5_001)), {
      code: 'resource_exhausted',
      sent: false,
    });
  });

  define('invalid options throw a TypeError that names their path', async (f, t) => {
    for (const [options, path] of [
      [{ timeout: -1 }, /timeout/],
      [{ limits: { inbound: { calls: 0 } } }, /limits\.inbound\.calls/],
      [{ keepAlive: { interval: Number.NaN } }, /keepAlive\.interval/],
      [{ maxPool: 1.5 }, /maxPool/],
      [{ hello: { token: 5 } }, /hello/],
      [{ limits: { message: 10, item: 20 } }, /limits\.item/],
      [{ noSuchOption: 1 }, /noSuchOption/],
    ] as const) {
      const error = await caught(
        t,
        Promise.resolve().then(() => f.create(kit, options as object)),
      );
      t.true(error instanceof TypeError, String(error));
      t.regex((error as Error).message, path);
    }
  });
};

const UNSPECIFIED = 'listen on an address that cannot be dialed needs an advertised address';

/**
 * Returns the control of one layer, which `wrap` wraps: its listener breaks on `fail`, and cannot
 * be bound again until `mend`.
 */
function createFragileListener() {
  let broken = false;
  let inner: StreamLayer | undefined;
  let report: ((error: TransportError) => void) | undefined;
  const listener = {
    tries: 0,
    listening: false,
    wrap: (layer: StreamLayer): StreamLayer => ({
      async listen(accept, failed) {
        inner = layer;
        if (broken) {
          listener.tries++;
          throw new TransportError('unavailable', 'the listener is broken', {
            reason: 'address_in_use',
          });
        }
        report = failed;
        await layer.listen(accept, failed);
        listener.listening = true;
      },
      dial: (address, options) => layer.dial(address, options),
      localAddr: () => layer.localAddr(),
      advertiseAddr: () => layer.advertiseAddr(),
      close: () => layer.close(),
    }),
    async fail() {
      broken = true;
      listener.listening = false;
      // A listener that broke no longer listens, as the interface requires.
      await inner?.close();
      report?.(new TransportError('unavailable', 'the listener broke'));
    },
    mend() {
      broken = false;
    },
  };
  return listener;
}
