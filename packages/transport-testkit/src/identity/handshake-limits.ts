// Cases about handshakes in progress: they are bounded before any work is done for them, they end
// in time, and they delay no other connection.

import { caught, checked } from '../transport/expect.ts';
import { watch } from '../transport/values.ts';
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
};
