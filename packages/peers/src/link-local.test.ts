// Tests of IPv6 link-local addresses: the operator may dial them, but no node passes them on,
// because the interface in such an address exists on one machine only.

import { boot, cluster, connected, idOf, passive } from './testing/cluster.ts';
import { entry, rawPeer, toldAddresses } from './testing/raw-peer.ts';
import { test } from './testing/runs.ts';

const HERE = '[fe80::b%eth0]:7000';

for (const [list, given] of Object.entries({
  seeds: { seeds: [HERE] },
  persistent: { persistent: [`${idOf('b')}@${HERE}`], maxOutbound: 0 },
}))
  test(`a link-local address of ${list} is dialed, also after a restart, and others get the address that the node advertises`, async (t, sim) => {
    const nodes = cluster(sim, ['a', 'b'], {
      transport: (name) =>
        name === 'a' ? { resolve: (address) => (address === HERE ? 'b' : address) } : {},
      peers: (name) => (name === 'a' ? given : passive),
      durable: false,
    });
    const isLinked = () => nodes.size === 2 && connected(nodes.get('a')!, ['b']).length === 1;
    await sim.until(isLinked, 60_000);
    t.is(nodes.get('a')!.peers.get(idOf('b'))!.addr, `tcp://${HERE}`);
    t.deepEqual(await toldAddresses(sim, 'a'), [entry('b')]);
    sim.crash('b');
    await sim.until(() => !isLinked(), 60_000);
    sim.restart('b');
    await sim.until(isLinked, 60_000);
  });

test('a link-local address that a peer advertises is neither kept nor sent on', async (t, sim) => {
  const [{ peers }] = await boot(sim, ['a'], { durable: false });
  const stray = rawPeer(sim, 'stray', {
    transport: { layer: (layer) => Object.assign(layer, { advertiseAddr: () => `tcp://${HERE}` }) },
  });
  await sim.settle(stray.transport.listen());
  await sim.settle(stray.transport.dial('a'));
  await sim.until(() => peers.list().length === 1, 1_000);
  t.is(peers.list()[0]!.remote.addr, `tcp://${HERE}`);
  t.is(peers.snapshot().book.size, 0);
  t.is(peers.addressOf(idOf('stray')), undefined);
  t.false(peers.learn(idOf('other'), HERE, idOf('stray')));
});
