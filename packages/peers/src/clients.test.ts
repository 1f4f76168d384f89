// Tests of nodes that run no peers: they call and are called, but are never peers, whether or not
// they prove an id.

import type { Transport } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { echo, passive } from './testing/cluster.ts';
import { type Carrier, carriers } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import { emitted, isLinked, RealFixture } from './testing/real/real-fixture.ts';

/** Number of clients created so far; each has its own instance. */
let clients = 0;

/** A node with peers. */
const node = async (
  fixture: RealFixture,
  carrier: Carrier,
  name: string,
  peers: Partial<PeersOptions> = passive,
) => fixture.node(name, { peers, make: carrier.make(await credentials()) });

/** Creates a transport without peers, which is closed after the test. */
async function client(
  t: ExecutionContext,
  { clock }: RealFixture,
  carrier: Carrier,
): Promise<{ readonly nodeId: string; readonly transport: Transport<typeof echo> }> {
  const mine = await credentials();
  const transport = carrier.make(mine)({
    protocol: echo,
    clock,
    random: seededRandom(1_000 + ++clients),
  });
  t.teardown(() => void transport.close({ grace: 0 }));
  return { nodeId: mine.nodeId, transport };
}

for (const carrier of carriers) {
  test(`over ${carrier.name}, clients are in no list, count against no cap, and neither displace peers nor are displaced by them`, async (t) => {
    const fixture = new RealFixture(t);
    const a = await node(fixture, carrier, 'a', { ...passive, maxInbound: 2 });
    const callers = await Promise.all(Array.from({ length: 6 }, () => client(t, fixture, carrier)));
    const links = await Promise.all(
      callers.map(({ transport }) => fixture.settle(transport.dial(a.address))),
    );
    await fixture.run(15_000); // By now, peers in short-stay places would make way for others.
    t.deepEqual([a.peers.list(), a.transport.remotes().length], [[], 6]);
    const [b, c] = [
      await node(fixture, carrier, 'b', { ...passive, persistent: [a.address] }),
      await node(fixture, carrier, 'c', { ...passive, persistent: [a.address] }),
    ];
    await fixture.until(
      'b and c are peers of a',
      () => isLinked(a, b) && isLinked(a, c) && isLinked(b, a) && isLinked(c, a),
    );
    await fixture.run(15_000);
    t.is(a.peers.snapshot().inbound, 2);
    t.deepEqual([emitted(a, 'rejected'), emitted(a, 'down')], [[], []]);
    t.deepEqual(
      links.map(({ closed }) => closed),
      links.map(() => false),
    );
    for (const { transport } of callers)
      t.is(await fixture.settle(transport.send(a.address, 'say', 'hi')), 'a: hi');
    const late = await client(t, fixture, carrier);
    t.is(
      await fixture.settle(late.transport.send(a.address, 'say', 'hi')),
      'a: hi',
      'another client connects although all places of peers are taken',
    );
    await Promise.all([late, ...callers].map(({ transport }) => fixture.settle(transport.close())));
    t.deepEqual(await fixture.close(), []);
  });

  test(`over ${carrier.name}, nodes without address exchange and status are still peers`, async (t) => {
    const fixture = new RealFixture(t);
    const quiet: Partial<PeersOptions> = { ...passive, exchange: { enabled: false } };
    const a = await node(fixture, carrier, 'a', quiet);
    const b = await node(fixture, carrier, 'b', { ...quiet, persistent: [a.address] });
    await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
    t.is(a.peers.get(b.nodeId)!.proven, carrier.proves);
    t.deepEqual(await fixture.close(), []);
  });

  test(`over ${carrier.name}, a node that closes its peers but keeps its transport is a client until it starts new peers`, async (t) => {
    const fixture = new RealFixture(t);
    const b = await node(fixture, carrier, 'b');
    const a = await node(fixture, carrier, 'a', {
      ...passive,
      persistent: [b.address],
      reconnect: { initialBackoff: 1_000, maxBackoff: 1_000 },
    });
    await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
    await fixture.settle(b.peers.close());
    await fixture.until('b is no longer a peer of a', () => !isLinked(a, b), 1_000);
    t.deepEqual(
      emitted(a, 'down').map(({ cause }) => cause.reason),
      ['closed'],
    );
    t.is(await fixture.settle(a.transport.send(b.address, 'say', 'hi')), 'b: hi');
    await fixture.until(
      'a has dialed b again and rejected it',
      () => emitted(a, 'rejected').length > 0,
    );
    t.is(emitted(a, 'rejected')[0]!.reason, 'incompatible');
    t.deepEqual(a.peers.list(), []);
    const again = createPeers({ transport: b.transport, identity: b, ...passive });
    await again.start();
    await fixture.until(
      'a and b are peers again',
      () => a.peers.get(b.nodeId) !== undefined && again.get(a.nodeId) !== undefined,
    );
    await fixture.settle(again.close());
    t.deepEqual(await fixture.close(), []);
  });

  test(`over ${carrier.name}, a persistent peer that does not run peers is reported as incompatible`, async (t) => {
    const fixture = new RealFixture(t);
    const { transport } = await client(t, fixture, carrier);
    await transport.listen();
    const a = await node(fixture, carrier, 'a', {
      ...passive,
      persistent: [transport.localAddr()],
    });
    await fixture.until(
      'a has dialed the client and rejected it',
      () => emitted(a, 'rejected').length > 0,
    );
    const [{ reason, direction, error }] = emitted(a, 'rejected') as [
      ReturnType<typeof emitted<'rejected'>>[0],
    ];
    t.deepEqual([reason, direction, error.code], ['incompatible', 'out', 'failed_precondition']);
    t.regex(error.message, /does not run peers/);
    t.deepEqual(a.peers.list(), []);
    await fixture.settle(transport.close());
    t.deepEqual(await fixture.close(), []);
  });
}

for (const carrier of carriers.filter(({ proves }) => proves)) {
  test(`over ${carrier.name}, a call by id reaches a peer but not a client, even if the client has proved the id`, async (t) => {
    const fixture = new RealFixture(t);
    const a = await node(fixture, carrier, 'a');
    const { nodeId, transport } = await client(t, fixture, carrier);
    await fixture.settle(transport.dial(a.address));
    t.is(a.transport.remotes()[0]!.nodeId, nodeId);
    t.false(a.transport.trySend(`node:${nodeId}`, 'hint', 'for a peer'));
    await t.throwsAsync(fixture.settle(a.transport.send(`node:${nodeId}`, 'say', 'hi')), {
      code: 'unavailable',
    } as never);
    await transport.listen();
    const finder = await node(fixture, carrier, 'finder', {
      ...passive,
      locate: () => transport.localAddr(),
    });
    const error = await t.throwsAsync(
      fixture.settle(finder.transport.send(`node:${nodeId}`, 'say', 'hi')),
      { code: 'failed_precondition' } as never,
    );
    t.true(
      error!.message.includes('does not run peers') && error!.message.includes(`${nodeId}@`),
      error!.message,
    );
    await fixture.settle(transport.close());
    t.deepEqual(await fixture.close(), []);
  });

  test(`over ${carrier.name}, a ban disconnects a client that proved the id, and refuses it afterwards`, async (t) => {
    const fixture = new RealFixture(t);
    const a = await node(fixture, carrier, 'a');
    const { nodeId, transport } = await client(t, fixture, carrier);
    const link = await fixture.settle(transport.dial(a.address));
    a.peers.ban(nodeId);
    await fixture.until('the client is disconnected', () => link.closed, 1_000);
    const error = (await t.throwsAsync(fixture.settle(transport.dial(a.address)))) as {
      code?: string;
      reason?: string;
    };
    t.deepEqual([error.code, error.reason], ['permission_denied', 'denied']);
    a.peers.unban(nodeId);
    await fixture.settle(transport.dial(a.address));
    await fixture.settle(transport.close());
    t.deepEqual(await fixture.close(), []);
  });
}
