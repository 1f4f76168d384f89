// Tests of the consequences for a peer whose score has fallen to 0.

import { boot, connected, idOf, passive } from './testing/cluster.ts';
import { test } from './testing/runs.ts';

test('a peer whose score is 0 stays until another node needs its place, and then does not get it back', async (t, sim) => {
  const names = ['a', 'b', 'c', 'd'] as const;
  const [a, , , d] = await boot(sim, names, {
    peers: (name) => ({
      ...passive,
      exchange: { enabled: false },
      ...(name === 'a' ? { maxInbound: 2 } : {}),
      persistent: name === 'b' || name === 'c' ? ['a'] : [],
      reconnect: { initialBackoff: 200, maxBackoff: 200 },
    }),
    durable: false,
  });
  const { peers } = a;
  await sim.until(() => peers.list().length === 2, 10_000);
  t.deepEqual([peers.scoreOf(idOf('b')), peers.scoreOf(idOf('nobody'))], [100, 100]);
  for (let i = 0; i < 10; i++) {
    peers.report(idOf('b'), 'bad', 100);
    await sim.run(1_000);
  }
  t.is(peers.scoreOf(idOf('b')), 0);
  t.deepEqual(connected(a, names), ['b', 'c'], 'it stays');
  d.peers.add('a');
  await sim.until(() => connected(a, names).join() === 'c,d', 10_000);
  await sim.run(5_000);
  t.deepEqual(connected(a, names), ['c', 'd']);
  t.is(peers.scoreOf(idOf('b')), 0, 'also while it is away');
});
