// Tests that nodes that know only one seed find each other.

import { createSimulation } from '@trunkline/simulation';
import test from 'ava';
import { cluster, connected, idOf } from './testing/cluster.ts';

test.serial('nodes that know one seed all find each other', async (t) => {
  const sim = createSimulation({ seed: 1, link: { latency: [1, 20] } });
  const names = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const nodes = cluster(sim, names, { peers: (name) => ({ seeds: name === 'n1' ? [] : ['n1'] }) });
  await sim.until(
    () =>
      nodes.size === 5 && [...nodes.values()].every((node) => connected(node, names).length === 4),
    60_000,
  );
  for (const node of nodes.values())
    t.deepEqual(
      connected(node, names),
      names.filter((name) => name !== node.name),
    );
  const answer = await sim.settle(
    nodes.get('n2')!.transport.send(`node:${idOf('n5')}`, 'say', 'hello'),
  );
  t.is(answer, 'n5: hello');
  t.deepEqual(await sim.close(), []);
});
