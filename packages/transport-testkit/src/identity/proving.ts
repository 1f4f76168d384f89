// Cases about proven ids: each end knows the other by its key, on every call, for as long as the
// connection is open.

import { equalBytes, pattern } from '../transport/values.ts';
import { checkCall } from './refusals.ts';
import type { Cases } from './suite.ts';

export const provingCases: Cases = (define) => {
  for (const here of ['ed25519', 'p256'] as const) {
    for (const there of ['ed25519', 'p256'] as const) {
      define(`both ends learn the other's id: ${here} dials ${there}`, async (f, t) => {
        const a = await f.open({ credentials: await f.backend.credentials(here) });
        const b = await f.open({ credentials: await f.backend.credentials(there) });
        t.regex(a.nodeId, /^[0-9a-f]{64}$/);
        t.not(a.nodeId, b.nodeId);
        const remote = await checkCall(f, a, b);
        t.is(remote.direction, 'out');
        await f.until(
          'the connection is up at the acceptor',
          () => b.transport.remotes().length === 1,
        );
        const back = b.transport.remotes()[0]!;
        t.is(back.nodeId, a.nodeId);
        t.is(back, b.served[0]!.from, 'one object from up to down');
        t.deepEqual(await b.transport.send(back, 'echo', Uint8Array.of(7)), Uint8Array.of(7));
        t.is(
          a.served[0]!.from,
          remote,
          'the dialer is called over its own connection, by the node it dialed',
        );
        for (const [node, other] of [
          [a, b],
          [b, a],
        ] as const) {
          t.deepEqual(
            node.asked.filter((question) => question.startsWith('admit')),
            [`admit ${other.nodeId}`],
            'admit is asked about the proven id',
          );
          const up = await f.event(node, 'up');
          t.is(up.remote.nodeId, other.nodeId);
        }
        await f.drive(a.transport.disconnect(b.at));
        t.is((await f.event(b, 'down')).remote.nodeId, a.nodeId, 'the id is there to the end');
      });
    }
  }

  define(
    "a Remote's id is the same on a thousand calls, and after the connection's end",
    async (f, t) => {
      const [a, b] = [await f.open(), await f.open()];
      const remote = await a.transport.dial(b.at);
      await Promise.all(
        Array.from({ length: 1_000 }, (_, i) =>
          a.transport.send(b.at, 'echo', Uint8Array.of(i & 0x7f)),
        ),
      );
      t.is(b.served.length, 1_000);
      t.is(new Set(b.served.map(({ from }) => from)).size, 1);
      t.true(b.served.every(({ from }) => from.nodeId === a.nodeId));
      t.is(remote.nodeId, b.nodeId);
      await f.drive(a.transport.disconnect(remote));
      t.true(remote.closed);
      t.is(remote.nodeId, b.nodeId);
    },
  );

  define('a node may call itself, by address and by id, whatever its lists say', async (f, t) => {
    const someone = await f.backend.credentials();
    const a = await f.open({ lists: { allow: [someone.nodeId] } });
    t.is((await checkCall(f, a, a)).nodeId, a.nodeId);
    await checkCall(f, a, a, `${a.nodeId}@${a.at}`);
  });

  for (const piece of [1, 2, 7]) {
    define(
      `the boundaries of chunks have no effect: bytes arrive ${piece === 1 ? 'one by one' : `${piece} at a time`}`,
      async (f, t) => {
        const [a, b] = [
          await f.open({ options: { dialTimeout: 60_000, handshakeTimeout: 60_000 } }),
          await f.open({ options: { handshakeTimeout: 60_000 } }),
        ];
        const relay = await f.relay(b);
        relay.tamperings = { dialer: { piece }, acceptor: { piece } };
        await checkCall(f, a, b, relay.at);
        for (const size of [0, 1, 31, 1_000, 20_000]) {
          const request = pattern(size);
          if (size > 0) request[0] = 1;
          t.true(
            equalBytes(await a.transport.send(relay.at, 'echo', request), request),
            `${size} bytes`,
          );
        }
      },
    );
  }
};
