// Tests of the consequences for a peer whose score has fallen to 0.

import test from 'ava';
import { cluster, connected, idOf } from './testing/cluster.ts';
import { runs, simulationOf } from './testing/runs.ts';

test.serial(
  'a peer whose score is 0 stays until another node needs its place, and then does not get it back',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const names = ['a', 'b', 'c', 'd'];
      const nodes = cluster(sim, names, {
        peers: (name) => ({
          maxOutbound: 0,
          exchange: { enabled: false },
          ...(name === 'a' ? { maxInbound: 2 } : {}),
          persistent: name === 'b' || name === 'c' ? ['a'] : [],
          reconnect: { initialBackoff: 200, maxBackoff: 200 },
        }),
        durable: false,
      });
      await sim.until(() => nodes.size === 4 && nodes.get('a')!.peers.list().length === 2, 10_000);
      const { peers } = nodes.get('a')!;
      t.deepEqual([peers.scoreOf(idOf('b')), peers.scoreOf(idOf('nobody'))], [100, 100]);
      for (let i = 0; i < 10; i++) {
        peers.report(idOf('b'), 'bad', 100);
        await sim.run(1_000);
      }
      t.is(peers.scoreOf(idOf('b')), 0);
      t.deepEqual(connected(nodes.get('a')!, names), ['b', 'c'], `${run.name}: it stays`);
      nodes.get('d')!.peers.add('a');
      await sim.until(() => connected(nodes.get('a')!, names).join() === 'c,d', 10_000);
      await sim.run(5_000);
      t.deepEqual(connected(nodes.get('a')!, names), ['c', 'd']);
      t.is(peers.scoreOf(idOf('b')), 0, 'also while it is away');
      t.deepEqual(await sim.close(), []);
    }
  },
);
