// Tests of IPv6 link-local addresses: the operator may dial them, but no node passes them on, because
// the interface in such an address exists on one machine only.

import test from 'ava';
import { cluster, connected, idOf, type TestNode } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { runs, simulationOf } from './testing/runs.ts';

const HERE = '[fe80::b%eth0]:7000';

for (const [list, given] of Object.entries({
  seeds: { seeds: [HERE] },
  persistent: { persistent: [`${idOf('b')}@${HERE}`], maxOutbound: 0 },
}))
  test.serial(
    `a link-local address of ${list} is dialed, also after a restart, and others get the address that the node advertises`,
    async (t) => {
      for (const run of runs(2)) {
        const sim = simulationOf(run);
        const nodes = cluster(sim, ['a', 'b'], {
          transport: (name) =>
            name === 'a' ? { resolve: (address) => (address === HERE ? 'b' : address) } : {},
          peers: (name) => (name === 'a' ? given : { maxOutbound: 0 }),
          durable: false,
        });
        const a = (): TestNode => nodes.get('a')!;
        const isLinked = () => nodes.size === 2 && connected(a(), ['b']).length === 1;
        await sim.until(isLinked, 60_000);
        t.is(a().peers.get(idOf('b'))!.addr, `tcp://${HERE}`, run.name);
        const guest = rawPeer(sim, 'guest');
        const remote = await sim.settle(guest.transport.dial('a'));
        guest.words.trySend(remote, 'request', new Uint8Array());
        await sim.until(() => countReceived(guest, 'addresses') === 1, 1_000);
        t.deepEqual(
          guest.heard.find(({ method }) => method === 'addresses')!.request,
          { addresses: [{ nodeId: idOf('b'), address: 'b' }] },
          run.name,
        );
        sim.crash('b');
        await sim.until(() => !isLinked(), 60_000);
        sim.restart('b');
        await sim.until(isLinked, 60_000);
        t.deepEqual(await sim.close(), []);
      }
    },
  );

test.serial(
  'a link-local address that a peer advertises is neither kept nor sent on',
  async (t) => {
    const sim = simulationOf(runs(1)[0]!);
    const nodes = cluster(sim, ['a'], { durable: false });
    await sim.until(() => nodes.size === 1);
    const { peers } = nodes.get('a')!;
    const stray = rawPeer(sim, 'stray', {
      transport: {
        layer: (layer) => Object.assign(layer, { advertiseAddr: () => `tcp://${HERE}` }),
      },
    });
    await sim.settle(stray.transport.listen());
    await sim.settle(stray.transport.dial('a'));
    await sim.until(() => peers.list().length === 1, 1_000);
    t.is(peers.list()[0]!.remote.addr, `tcp://${HERE}`);
    t.is(peers.snapshot().book.size, 0);
    t.is(peers.addressOf(idOf('stray')), undefined);
    t.false(peers.learn(idOf('other'), HERE, idOf('stray')));
    t.deepEqual(await sim.close(), []);
  },
);
