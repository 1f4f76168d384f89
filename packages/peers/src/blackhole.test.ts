// Tests over real TCP of links that lose everything, and of machines that come back without memory.
// Sockets are real; the test simulates the time.

import test, { type ExecutionContext } from 'ava';
import { passive } from './testing/cluster.ts';
import { emitted, isLinked, RealFixture, type RealNode } from './testing/real/real-fixture.ts';
import { TcpRelay } from './testing/real/tcp-relay.ts';

/** Sets up a node that dials one peer over a relay that can break, and another peer directly. */
async function scene(t: ExecutionContext) {
  const fixture = new RealFixture(t, 50);
  const b = await fixture.node('b', { peers: passive });
  const c = await fixture.node('c', { peers: passive });
  const relay = await TcpRelay.to(b.address, t);
  const persistent = [relay.address, c.address];
  const a = await fixture.node('a', { peers: { ...passive, persistent } });
  for (const node of [b, c]) await fixture.linked([a, node]);
  return { fixture, a, b, c, relay };
}

/**
 * Freezes the relay, and mutes its endpoints so that nothing waits for the end of an old
 * connection.
 */
function blackhole(fixture: RealFixture, relay: TcpRelay, b: RealNode): void {
  relay.freeze();
  fixture.mute.add(relay.address);
  for (const { endpoint } of b.transport.remotes()) fixture.mute.add(endpoint);
}

test('a node behind a blackholed relay from the start is dialed again and again, one dial at a time, in vain', async (t) => {
  const fixture = new RealFixture(t, 50);
  const b = await fixture.node('b', { peers: passive });
  const relay = await TcpRelay.to(b.address, t);
  blackhole(fixture, relay, b);
  const persistent = [`${b.nodeId}@${relay.address}`];
  const a = await fixture.node('a', { peers: { ...passive, persistent } });
  let most = 0;
  for (let i = 0; i < 400; i++) {
    await fixture.run(100);
    most = Math.max(most, a.transport.snapshot().connections.length);
  }
  const failed = emitted(a, 'rejected');
  t.true(failed.length >= 3 && failed.length <= 6, `${failed.length} times`);
  for (const { reason, direction, error, addr } of failed)
    t.deepEqual(
      [reason, direction, error.reason, addr],
      ['unreachable', 'out', 'handshake_timeout', `tcp://${relay.address}`],
    );
  t.is(most, 1);
  relay.thaw();
  fixture.mute.clear();
  await fixture.linked([a, b], 30_000);
  t.deepEqual(await fixture.close(), []);
});

for (const speaks of [true, false])
  test(`a machine that restarted resets unknown connections: the peer is down at once and is dialed with back-off, ${speaks ? 'when a message is sent' : 'at the next ping if nobody sends anything'}`, async (t) => {
    const { fixture, a, b, c, relay } = await scene(t);
    await fixture.run(12_000);
    // A power failure: no other node notices the end.
    blackhole(fixture, relay, b);
    await fixture.settle(b.close());
    await fixture.run(3_000);
    t.true(isLinked(a, b), 'nobody has noticed yet');
    const identity = { nodeId: b.nodeId };
    const again = await fixture.node('b', { peers: { ...passive, identity } });
    relay.reboot(again.address);
    fixture.mute.clear();
    await fixture.run(100);
    t.true(isLinked(a, b), 'nothing was sent, so nothing was reset');
    const [began, dials] = [fixture.clock.now(), a.dials.length];
    if (speaks) t.true(a.transport.trySend(`node:${b.nodeId}`, 'hint', 'are you there?'));
    const [down] = await fixture.emitted(a, 'down', 1, 16_000);
    t.deepEqual([down!.nodeId, down!.cause.reason], [b.nodeId, 'reset']);
    const after = down!.at - began;
    t.true(after < (speaks ? 5_000 : 12_000), `${after} ms later`);
    await fixture.until('a has the restarted b as a peer', () => isLinked(a, again), 5_000);
    t.is(a.dials.length, dials + 1);
    const wait = a.dials.at(-1)!.at - down!.at;
    t.true(wait >= 750 && wait <= 1_250, `dialed again after ${wait} ms`);
    t.is(await fixture.settle(a.transport.send(`node:${b.nodeId}`, 'say', 'hello')), 'b: hello');
    t.deepEqual([emitted(a, 'down').length, emitted(c, 'down').length], [1, 0]);
    t.deepEqual(await fixture.close(), []);
  });

test('after both ends have disconnected, neither keeps a socket, though neither received the other’s close', async (t) => {
  const { fixture, a, b, relay } = await scene(t);
  blackhole(fixture, relay, b);
  await fixture.parted(a, b, 16_000);
  await fixture.run(2_000);
  t.deepEqual(b.transport.snapshot().connections, []);
  const { connections } = a.transport.snapshot();
  t.true(connections.every(({ state, endpoint }) => state === 'up' || endpoint === relay.address));
  t.deepEqual(await fixture.close(), []);
});
