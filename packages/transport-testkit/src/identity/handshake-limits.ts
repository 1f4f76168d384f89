// Cases about handshakes in progress: they are bounded before any work is done for them, they end
// in time, and they delay no other connection.

import { caught, checked } from '../transport/expect.ts';
import { watch } from '../transport/values.ts';
import { count, type IdentityFixture, type IdentityNode } from './identity-fixture.ts';
import type { RawConnection } from './raw-connection.ts';
import { checkCall, rejections } from './refusals.ts';
import type { Cases } from './suite.ts';

export const handshakeLimitCases: Cases = (define) => {
  define(
    'a peer that never finishes its handshake delays no other, and is disconnected in time',
    async (f, t) => {
      const [node, a, b] = [
        await f.open(),
        await f.open({ options: { dialTimeout: 60_000 } }),
        await f.open(),
      ];
      const silent = await f.rawConnection(node);
      const relay = await f.relay(node);
      relay.tamperings = { dialer: { hold: 20 } };
      const halfway = caught(t, a.transport.send(relay.at, 'echo', Uint8Array.of(1)));
      await f.until(
        "the dialer's handshake has begun",
        () => relay.connections.length > 0 && relay.last.dialer.written > 20,
      );
      await f.quiet();
      const now = f.clock.now();
      await checkCall(f, b, node);
      await checkCall(f, node, b);
      t.is(f.clock.now(), now, 'other handshakes did not wait for this one');
      await f.driveUntil(
        'the silent connection and the other handshake have ended',
        () => silent.over && rejections(node, 'in').length === 2,
      );
      t.true(f.clock.now() - now <= 7_000, `after ${f.clock.now() - now} ms`);
      for (const { error } of rejections(node, 'in'))
        checked(t, error, { code: 'unavailable', reason: 'handshake_timeout' });
      checked(t, await f.drive(halfway), { code: 'unavailable', sent: false });
      t.false(b.transport.remotes()[0]!.closed);
    },
  );

  define('a handshake ends when handshakeTimeout has passed, and not earlier', async (f, t) => {
    const node = await f.open({ options: { handshakeTimeout: 700 } });
    const silent = await f.rawConnection(node);
    await f.quiet();
    f.clock.advance(699);
    await f.quiet();
    t.false(silent.over);
    t.deepEqual(rejections(node), []);
    f.clock.advance(1);
    checked(t, (await f.event(node, 'rejected')).error, {
      code: 'unavailable',
      reason: 'handshake_timeout',
    });
    await f.until('the silent connection is closed', () => silent.over);
    t.is(silent.received, 0, 'the silent connection received no bytes');
  });

  define(
    'at most `pending` handshakes are in progress, and the next connection is not read until one ends',
    async (f, t) => {
      const node = await f.open({ options: { limits: { handshakes: { pending: 2 } } } });
      const a = await f.open();
      const silent = [await f.rawConnection(node), await f.rawConnection(node)];
      await f.quiet();
      const relay = await f.relay(node);
      const call = a.transport.send(relay.at, 'echo', Uint8Array.of(1));
      const state = watch(call);
      await f.until(
        "the dialer's handshake has begun",
        () => relay.connections.length > 0 && relay.last.dialer.passed > 0,
      );
      await f.quiet();
      t.is(relay.last.acceptor.written, 0, 'the acceptor has not answered');
      t.false(state.settled);
      silent[0]!.destroy();
      t.deepEqual(await call, Uint8Array.of(1));
      t.is(node.served[0]!.from.nodeId, a.nodeId);
    },
  );

  define(
    'of a flood of silent connections, those above four times `pending` are closed at once, the rest time out, and live connections continue',
    async (f, t) => {
      const node = await f.open({ options: { limits: { handshakes: { pending: 3 } } } });
      const [a, b] = [await f.open(), await f.open({ options: { dialTimeout: 60_000 } })];
      const remote = await checkCall(f, a, node);
      const flood: RawConnection[] = [];
      for (let i = 0; i < 40; i++) flood.push(await f.rawConnection(node));
      await f.until(
        'the 25 surplus connections are closed',
        () => flood.filter(({ over }) => over).length === 25,
      );
      const full = rejections(node, 'in');
      t.is(full.length, 25);
      for (const { error } of full)
        checked(t, error, {
          code: 'resource_exhausted',
          reason: 'full',
          message: /limits\.handshakes/,
        });
      t.is(sum(flood), 0, 'the flood received no bytes');
      await checkCall(f, a, node);
      t.false(remote.closed);
      await ended(f, node, flood);
      t.is(
        rejections(node, 'in').filter(({ error }) => error.reason === 'handshake_timeout').length,
        15,
      );
      await checkCall(f, b, node);
      await checkCall(f, a, node);
      t.is(count(node, 'down'), 0);
    },
  );

  define(
    'a flood of garbage is rejected as it arrives, and clients that wait behind it are served',
    async (f, t) => {
      const node = await f.open({ options: { limits: { handshakes: { pending: 2 } } } });
      const a = await f.open();
      const flood: RawConnection[] = [];
      for (let i = 0; i < 30; i++) {
        const raw = await f.rawConnection(node);
        raw.write(Uint8Array.from({ length: 64 }, (_, n) => n));
        flood.push(raw);
      }
      await f.driveUntil('all connections of the flood are closed', () =>
        flood.every(({ over }) => over),
      );
      await f.until(
        'the observer reports all 30 rejections',
        () => rejections(node, 'in').length === 30,
      );
      await f.quiet();
      t.is(rejections(node, 'in').length, 30, 'once');
      await checkCall(f, a, node);
    },
  );

  define(
    '`perSource` limits the handshakes of one source before any work is done, and a failed handshake keeps its place for a second',
    async (f, t) => {
      const node = await f.open({
        options: { limits: { handshakes: { pending: 64, perSource: 2 } } },
      });
      const a = await f.open();
      // Completed handshakes no longer count.
      for (let i = 0; i < 4; i++) {
        await checkCall(f, a, node);
        await f.drive(a.transport.disconnect(node.at));
      }
      await checkCall(f, a, node);
      const silent = [await f.rawConnection(node), await f.rawConnection(node)];
      await f.quiet();
      const third = await f.rawConnection(node);
      await f.until('the third connection is closed', () => third.over);
      checked(t, rejections(node, 'in')[0]!.error, { code: 'resource_exhausted', reason: 'full' });
      t.deepEqual(
        silent.map(({ over }) => over),
        [false, false],
      );
      silent[0]!.destroy();
      await f.until('one handshake has ended', () => rejections(node, 'in').length === 2);
      const fourth = await f.rawConnection(node);
      await f.until('the fourth connection is closed', () => fourth.over);
      f.clock.advance(1_000);
      const fifth = await f.rawConnection(node);
      await f.quiet();
      t.false(fifth.over);
      fifth.destroy();
      await f.until('the handshake has ended', () => rejections(node, 'in').length === 4);
      f.clock.advance(1_000);
      await checkCall(f, a, node);
    },
  );

  define(
    'an `admit` or a `hello` that hangs takes one handshake place, and no more',
    async (f, t) => {
      const node = await f.open({
        options: {
          limits: { handshakes: { pending: 2 } },
          admit: (remote) => (remote.hello['wait'] ? new Promise(() => {}) : undefined),
        },
      });
      const [slow, fast] = [await f.open({ options: { hello: { wait: 'yes' } } }), await f.open()];
      const hangs = caught(t, slow.transport.send(node.at, 'echo', Uint8Array.of(1)));
      await f.until('admit is called', () => node.asked.length === 1);
      await checkCall(f, fast, node);
      checked(t, await f.drive(hangs), {
        code: 'unavailable',
        reason: 'handshake_timeout',
        sent: false,
      });
      await checkCall(f, fast, node);
    },
  );
};

/** Checks that the remaining connections time out. */
async function ended(
  f: IdentityFixture,
  node: IdentityNode,
  flood: readonly RawConnection[],
): Promise<void> {
  const now = f.clock.now();
  await f.driveUntil('all connections of the flood are closed', () =>
    flood.every(({ over }) => over),
  );
  f.t.true(f.clock.now() - now <= 7_000, `after ${f.clock.now() - now} ms`);
  await f.until(
    'the observer reports every rejection',
    () => rejections(node, 'in').length === flood.length,
  );
}

function sum(flood: readonly RawConnection[]): number {
  return flood.reduce((all, { received }) => all + received, 0);
}
