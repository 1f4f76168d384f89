// Cases about trust that is revoked while connections are open: connections to a revoked node are
// aborted immediately, everything open on them fails, and other connections stay.

import { caught, checked } from '../transport/expect.ts';
import { deferred, watch } from '../transport/values.ts';
import type { IdentityChange, IdentityCredentials } from './backend.ts';
import { count, type IdentityFixture, type IdentityNode, STUCK } from './identity-fixture.ts';
import { checkCall, checkRefused } from './refusals.ts';
import type { Cases } from './suite.ts';

const DENIED = { code: 'permission_denied', reason: 'denied' } as const;

export const revokingCases: Cases = (define) => {
  for (const who of ['acceptor', 'dialer'] as const) {
    define(
      `a node that is denied while connected is disconnected at once, its calls fail at both ends, and others stay connected (the ${who} denies)`,
      async (f, t) => {
        const [a, b, c] = [await f.open(), await f.open(), await f.open()];
        const [judge, other] = who === 'acceptor' ? [b, a] : [a, b];
        await cut(f, { a, b, third: c, judge, other }, { deny: [other.nodeId] });
        await checkRefused(f, a, b.at, b, { ...DENIED, says: new RegExp(other.nodeId), by: who });
        // The node is admitted again, as if nothing had happened, until a list omits it.
        await judge.update({ deny: [] });
        await checkCall(f, a, b);
        await judge.update({ allow: [c.nodeId] });
        for (const node of [judge, other])
          checked(t, (await f.event(node, 'down', 1)).cause, DENIED);
        await judge.update({ allow: null });
        await checkCall(f, a, b);
        t.is(count(c, 'down'), 0);
      },
    );
  }

  define(
    'every connection of a denied node is closed, inbound and outbound, of all its transports',
    async (f, t) => {
      const credentials = await f.backend.credentials();
      const [a, again, b] = [
        await f.open({ credentials }),
        await f.open({ credentials }),
        await f.open(),
      ];
      await checkCall(f, a, b);
      await checkCall(f, again, b);
      await checkCall(f, b, a);
      await checkCall(f, a, b, `${b.nodeId}@${b.at}`);
      await f.until('all four connections are up', () => b.transport.remotes().length === 4);
      await b.update({ deny: [credentials.nodeId] });
      t.deepEqual(b.transport.remotes(), []);
      await f.until(
        'the connections are down at the other ends',
        () => a.transport.remotes().length + again.transport.remotes().length === 0,
      );
      for (const { cause } of b.events.filter((event) => event.type === 'down'))
        checked(t, cause, DENIED);
    },
  );

  define(
    'a change of lists that does not concern a peer does not affect it or its calls',
    async (f, t) => {
      const [a, b] = [await f.open(), await f.open()];
      const { nodeId } = await f.backend.credentials();
      const remote = await checkCall(f, a, b);
      const stuck = watch(a.transport.send(b.at, 'echo', Uint8Array.of(STUCK)).catch(() => {}));
      for (const change of [
        { deny: [nodeId] },
        { allow: [a.nodeId, nodeId] },
        { allow: null, deny: [] },
        {},
      ]) {
        await b.update(change);
        t.deepEqual(await a.transport.send(remote, 'echo', Uint8Array.of(1)), Uint8Array.of(1));
      }
      await f.quiet();
      t.false(stuck.settled);
      t.is(count(a, 'down') + count(b, 'down'), 0);
    },
  );

  define(
    'a node that is denied while its hello is being decided is refused, whatever the decision was',
    async (f, t) => {
      const thinking = deferred();
      const asked = deferred();
      const a = await f.open();
      const b = await f.open({
        options: {
          admit: () => {
            asked.resolve();
            return thinking.promise;
          },
        },
      });
      const call = caught(t, a.transport.send(b.at, 'echo', Uint8Array.of(1)));
      await asked.promise;
      await b.update({ deny: [a.nodeId] });
      checked(t, await call, { ...DENIED, sent: false, message: new RegExp(a.nodeId) });
      thinking.resolve();
      await f.quiet();
      t.is(count(b, 'up'), 0);
      t.deepEqual(b.served, []);
    },
  );

  define('a node that is denied while it is in its handshake does not come up', async (f, t) => {
    const [a, b] = [await f.open(), await f.open()];
    const relay = await f.relay(b);
    relay.tamperings = { acceptor: { hold: 0 } };
    const call = caught(t, a.transport.send(relay.at, 'echo', Uint8Array.of(1)));
    await f.until(
      'the handshake has begun',
      () => relay.connections.length > 0 && relay.last.dialer.written > 0,
    );
    await f.quiet();
    await b.update({ deny: [a.nodeId] });
    relay.last.acceptor.release();
    checked(t, await call, { ...DENIED, sent: false, message: new RegExp(a.nodeId) });
    t.is(count(b, 'up'), 0);
    t.deepEqual(b.asked, []);
  });
};

/**
 * The nodes of a revocation: `a` has dialed `b`; `judge` is one of the two, and `other` is the
 * other one.
 */
interface RevocationNodes {
  readonly a: IdentityNode;
  readonly b: IdentityNode;
  readonly third: IdentityNode;
  readonly judge: IdentityNode;
  readonly other: IdentityNode;
}

/**
 * Lets `judge` revoke its trust in `other`; `third` is connected to `judge` and must stay
 * connected.
 */
async function cut(
  f: IdentityFixture,
  { a, b, third, judge, other }: RevocationNodes,
  change: IdentityChange<IdentityCredentials>,
): Promise<void> {
  const { t } = f;
  await checkCall(f, a, b);
  await checkCall(f, third, judge);
  await f.until('the connection is up at the acceptor', () =>
    b.transport.remotes().some(({ nodeId }) => nodeId === a.nodeId),
  );
  const back = b.transport.remotes().find(({ nodeId }) => nodeId === a.nodeId)!;
  const stuck = Uint8Array.of(STUCK);
  const calls = [
    a.transport.send(b.at, 'echo', stuck),
    a.transport.send(b.at, 'echo', stuck, { timeout: Number.POSITIVE_INFINITY }),
    b.transport.send(back, 'echo', stuck),
  ].map((call) => caught(t, call));
  const checkUnharmed = third.transport.send(judge.at, 'echo', stuck).catch(() => {});
  const goesOn = watch(checkUnharmed);
  const isStuck = ({ served }: IdentityNode) =>
    served.filter(({ request }) => request[0] === STUCK).length;
  await f.until(
    'all calls are in flight',
    () => isStuck(a) === (judge === a ? 2 : 1) && isStuck(b) === (judge === b ? 3 : 2),
  );
  const now = f.clock.now();

  await judge.update(change);
  t.false(
    judge.transport.remotes().some(({ nodeId }) => nodeId === other.nodeId),
    'cut when the update resolves',
  );
  for (const error of await Promise.all(calls))
    checked(t, error, { ...DENIED, message: new RegExp(other.nodeId) });
  checked(t, (await f.event(judge, 'down')).cause, { ...DENIED, origin: 'local' });
  checked(t, (await f.event(other, 'down')).cause, {
    ...DENIED,
    origin: 'remote',
    message: new RegExp(other.nodeId),
  });
  t.is(f.clock.now(), now, 'no timer was needed');
  await f.quiet();
  t.false(goesOn.settled, 'the call of another goes on');
  await checkCall(f, third, judge);
  t.is(count(third, 'down'), 0);
}
