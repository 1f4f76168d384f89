// Tests of nodes that run no peers: they call and are called, but are never peers, whether or not
// they prove an id.

import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { failureOf } from './testing/bare.ts';
import { passive } from './testing/cluster.ts';
import { type Carrier, carriers } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import { emitted, isLinked, type RealFixture, test } from './testing/real/real-fixture.ts';

/** Starts a node with peers. */
const node = async (
  fixture: RealFixture,
  carrier: Carrier,
  name: string,
  peers: Partial<PeersOptions> = {},
) =>
  fixture.node(name, { peers: { ...passive, ...peers }, make: carrier.make(await credentials()) });

/** Creates a transport without peers. */
async function client(fixture: RealFixture, carrier: Carrier) {
  const mine = await credentials();
  return { nodeId: mine.nodeId, transport: fixture.guest(carrier.make(mine)) };
}

for (const carrier of carriers) {
  test(`over ${carrier.name}, clients are in no list, count against no cap, and neither displace peers nor are displaced by them`, async (t, fixture) => {
    const a = await node(fixture, carrier, 'a', { maxInbound: 2 });
    const callers = await Promise.all(Array.from({ length: 6 }, () => client(fixture, carrier)));
    const links = await Promise.all(
      callers.map(({ transport }) => fixture.settle(transport.dial(a.address))),
    );
    await fixture.run(15_000); // By now, peers in short-stay places would make way for others.
    t.deepEqual([a.peers.list(), a.transport.remotes().length], [[], 6]);
    const b = await node(fixture, carrier, 'b', { persistent: [a.address] });
    const c = await node(fixture, carrier, 'c', { persistent: [a.address] });
    await fixture.linked([a, b]);
    await fixture.linked([a, c]);
    await fixture.run(15_000);
    t.is(a.peers.snapshot().inbound, 2);
    t.deepEqual([emitted(a, 'rejected'), emitted(a, 'down')], [[], []]);
    t.false(links.some(({ closed }) => closed));
    // The last one connects although all places of peers are taken.
    for (const { transport } of [...callers, await client(fixture, carrier)])
      t.is(await fixture.settle(transport.send(a.address, 'say', 'hi')), 'a: hi');
  });

  test(`over ${carrier.name}, nodes without address exchange and status are still peers`, async (t, fixture) => {
    const quiet: Partial<PeersOptions> = { exchange: { enabled: false } };
    const a = await node(fixture, carrier, 'a', quiet);
    const b = await node(fixture, carrier, 'b', { ...quiet, persistent: [a.address] });
    await fixture.linked([a, b]);
    t.is(a.peers.get(b.nodeId)!.proven, carrier.proves);
  });

  test(`over ${carrier.name}, a node that closes its peers but keeps its transport is a client until it starts new peers`, async (t, fixture) => {
    const b = await node(fixture, carrier, 'b');
    const a = await node(fixture, carrier, 'a', {
      persistent: [b.address],
      reconnect: { initialBackoff: 1_000, maxBackoff: 1_000 },
    });
    await fixture.linked([a, b]);
    await fixture.settle(b.peers.close());
    const [down] = await fixture.emitted(a, 'down', 1, 1_000);
    t.is(down!.cause.reason, 'closed');
    t.is(await fixture.settle(a.transport.send(b.address, 'say', 'hi')), 'b: hi');
    const [rejected] = await fixture.emitted(a, 'rejected');
    t.is(rejected!.reason, 'incompatible');
    t.deepEqual(a.peers.list(), []);
    const again = createPeers({ transport: b.transport, identity: b, ...passive });
    await again.start();
    const areLinked = () => isLinked(a, b) && again.get(a.nodeId) !== undefined;
    await fixture.until('a and b are peers again', areLinked);
    await fixture.settle(again.close());
  });

  test(`over ${carrier.name}, a persistent peer that does not run peers is reported as incompatible`, async (t, fixture) => {
    const { transport } = await client(fixture, carrier);
    await transport.listen();
    const a = await node(fixture, carrier, 'a', { persistent: [transport.localAddr()] });
    const [rejected] = await fixture.emitted(a, 'rejected');
    const { reason, direction, error } = rejected!;
    t.deepEqual([reason, direction, error.code], ['incompatible', 'out', 'failed_precondition']);
    t.regex(error.message, /does not run peers/);
    t.deepEqual(a.peers.list(), []);
  });
}

for (const carrier of carriers.filter(({ proves }) => proves)) {
  test(`over ${carrier.name}, a call by id reaches a peer but not a client, even if the client has proved the id`, async (t, fixture) => {
    const a = await node(fixture, carrier, 'a');
    const { nodeId, transport } = await client(fixture, carrier);
    await fixture.settle(transport.dial(a.address));
    t.is(a.transport.remotes()[0]!.nodeId, nodeId);
    t.false(a.transport.trySend(`node:${nodeId}`, 'hint', 'for a peer'));
    const call = a.transport.send(`node:${nodeId}`, 'say', 'hi');
    t.is((await failureOf(fixture.settle(call))).code, 'unavailable');
    await transport.listen();
    const locate = () => transport.localAddr();
    const finder = await node(fixture, carrier, 'finder', { locate });
    const found = finder.transport.send(`node:${nodeId}`, 'say', 'hi');
    const { code, message } = await failureOf(fixture.settle(found));
    t.is(code, 'failed_precondition');
    t.true(message.includes('does not run peers') && message.includes(`${nodeId}@`), message);
  });

  test(`over ${carrier.name}, a ban disconnects a client that proved the id, and refuses it afterwards`, async (t, fixture) => {
    const a = await node(fixture, carrier, 'a');
    const { nodeId, transport } = await client(fixture, carrier);
    const link = await fixture.settle(transport.dial(a.address));
    a.peers.ban(nodeId);
    await fixture.until('the client is disconnected', () => link.closed, 1_000);
    const error = await failureOf(fixture.settle(transport.dial(a.address)));
    t.deepEqual([error.code, error.reason], ['permission_denied', 'denied']);
    a.peers.unban(nodeId);
    await fixture.settle(transport.dial(a.address));
  });
}
