// Cases about bytes that were valid once: neither replayed nor reflected bytes ever open a
// connection.

import { TransportError } from '@trunkline/transport-core';
import { caught } from '../transport/expect.ts';
import { count, type IdentityFixture, type IdentityNode } from './identity-fixture.ts';
import type { RawConnection } from './raw-connection.ts';
import { checkCall, rejections } from './refusals.ts';
import type { RelayedConnection } from './relay.ts';
import type { Cases } from './suite.ts';

export const replayCases: Cases = (define) => {
  for (const how of ['at once', 'piece by piece as answers arrive'] as const) {
    define(
      `a replay of a dialer's bytes to its acceptor, ${how}, does not come up`,
      async (f, t) => {
        const [a, b] = [await f.open(), await f.open()];
        const { dialer } = await recorded(f, a, b);
        const before = {
          up: count(b, 'up'),
          served: b.served.length,
          told: rejections(b, 'in').length,
        };
        for (let i = 0; i < 3; i++) {
          const replay = await f.rawConnection(b);
          for (const chunk of dialer.chunks) {
            replay.write(chunk);
            if (how !== 'at once') await f.quiet();
          }
          await f.driveUntil('the replaying connection is closed', () => replay.over);
          await f.until(
            'the observer reports the rejection',
            () => rejections(b, 'in').length === before.told + i + 1,
          );
        }
        for (const { error } of rejections(b, 'in'))
          t.true(error instanceof TransportError && error.reason !== undefined, String(error));
        t.is(count(b, 'up'), before.up);
        t.is(b.served.length, before.served, 'the recorded call is not made again');
        await checkCall(f, a, b);
      },
    );
  }

  define("a replay of an acceptor's bytes to its dialer does not come up", async (f, t) => {
    const [a, b] = [await f.open(), await f.open()];
    const { acceptor } = await recorded(f, a, b);
    const up = count(a, 'up');
    let said = new Map<RawConnection, number>();
    const at = await f.bareListener(
      () => {},
      (raw, chunk) => {
        if (chunk === undefined) return;
        const next = acceptor.chunks[said.get(raw) ?? 0];
        said = said.set(raw, (said.get(raw) ?? 0) + 1);
        if (next !== undefined) raw.write(next);
      },
    );
    for (const target of [at, `${b.nodeId}@${at}`]) await comesToNothing(f, a, target);
    t.is(count(a, 'up'), up);
    await checkCall(f, a, b);
  });

  define("a mirror that sends a dialer's bytes back does not become a peer", async (f, t) => {
    const a = await f.open();
    const at = await f.bareListener(
      () => {},
      (raw, chunk) => {
        if (chunk !== undefined) raw.write(chunk);
      },
    );
    for (const target of [at, `${a.nodeId}@${at}`]) await comesToNothing(f, a, target);
    t.is(count(a, 'up'), 0);
  });

  // Two honest ends, each of which receives the other's part of a handshake that it did not begin.
  define('two dialers connected to each other prove nothing', async (f, t) => {
    const [a, b] = [await f.open(), await f.open()];
    const waiting: RawConnection[] = [];
    const at = await f.bareListener(
      (raw) => void waiting.push(raw),
      (raw, chunk) => {
        const other = waiting[0] === raw ? waiting[1] : waiting[0];
        if (chunk !== undefined) other?.write(chunk);
      },
    );
    const calls = Promise.all(
      [a, b].map(({ transport }) => caught(t, transport.send(at, 'echo', Uint8Array.of(1)))),
    );
    for (const error of await f.drive(calls))
      t.true(error instanceof TransportError && error.sent === false, String(error));
    t.is(count(a, 'up') + count(b, 'up'), 0);
  });
};

/**
 * Makes one connection with a call on it, and returns its recording from the wire. It must be the
 * first connection of both nodes.
 */
async function recorded(
  f: IdentityFixture,
  a: IdentityNode,
  b: IdentityNode,
): Promise<RelayedConnection> {
  const relay = await f.relay(b);
  await checkCall(f, a, b, relay.at);
  await f.drive(a.transport.disconnect(relay.at));
  await f.until(
    'the connection has ended at both ends',
    () => count(a, 'down') === 1 && count(b, 'down') === 1,
  );
  return relay.last;
}

async function comesToNothing(
  f: IdentityFixture,
  dialer: IdentityNode,
  target: string,
): Promise<void> {
  const error = await f.drive(caught(f.t, dialer.transport.send(target, 'echo', Uint8Array.of(1))));
  f.t.true(
    error instanceof TransportError && error.sent === false && error.reason !== undefined,
    String(error),
  );
}
