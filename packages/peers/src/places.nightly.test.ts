// The longest tests of the places for peers: which nodes get them, keep them and return to them.

import { seededRandom } from '@trunkline/transport-core/testing';
import { boot, connected } from './testing/cluster.ts';
import { prefilled } from './testing/prefilled.ts';
import { test } from './testing/runs.ts';

const MINUTE = 60_000;

test(
  'a newcomer whose only seed is full still learns of other nodes, and the seed stays within its limit',
  async (t, sim) => {
    const names = ['hub', ...Array.from({ length: 40 }, (_, i) => `n${i}`)];
    const peers = (name: string) =>
      name === 'hub' ? { maxInbound: 20, maxOutbound: 0 } : { seeds: ['hub'], maxOutbound: 3 };
    const [hub, ...others] = await boot(sim, names, { peers, durable: false });
    let most = 0;
    sim.always('the cap', () => {
      most = Math.max(most, hub!.peers.snapshot().inbound);
      return true;
    });
    await sim.until(() => others.every(({ peers }) => peers.snapshot().outbound === 3), 5 * MINUTE);
    t.true(most <= 20 && most > 17, String(most));
    // Most of the nodes that hold the hub's places keep them.
    const before = connected(hub!, names);
    await sim.run(10 * MINUTE);
    const after = connected(hub!, names);
    t.true(before.filter((name) => after.includes(name)).length >= 12, `${before} / ${after}`);
  },
  { count: 1, levels: ['message'] },
);

test(
  'a node that was lost by accident and returns takes the place of the one that replaced it',
  async (t, sim, { seed }) => {
    const addressBook = await prefilled(['b', 'c', 'd', 'e'], seededRandom(seed));
    const names = ['a', 'b', 'c', 'd', 'e'] as const;
    const quiet = { maxOutbound: 0, exchange: { enabled: false } };
    const [a] = await boot(sim, names, {
      peers: (name) => (name === 'a' ? { addressBook, maxOutbound: 2 } : quiet),
      durable: false,
    });
    const linked = () => connected(a, names);
    await sim.until(() => linked().length === 2);
    const [first, second] = linked();
    await sim.run(20_000);
    t.deepEqual(linked(), [first, second]);
    sim.partition(names.filter((name) => name !== first));
    await sim.until(() => linked().length === 2 && !linked().includes(first!));
    await sim.run(2 * MINUTE);
    sim.heal();
    await sim.until(() => linked().join() === [first, second].join(), MINUTE);
    t.is(a.peers.snapshot().outbound, 2);
  },
  { count: 5 },
);
