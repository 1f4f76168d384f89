// Tests of a network in which nothing happens.

import test from 'ava';
import { partialView } from './overlay/partial-view.ts';
import {
  cluster,
  eventsOf,
  listen,
  runs,
  type Subscriber,
  simulationOf,
} from './testing/cluster.ts';

test.serial('nodes that lose no neighbor keep their neighbors', async (t) => {
  t.timeout(60_000);
  for (const run of runs(1)) {
    const sim = simulationOf(run);
    const names = Array.from({ length: 20 }, (_, i) => `n${String(i).padStart(2, '0')}`);
    const subscribers = new Map<string, Subscriber>();
    const nodes = cluster(sim, names, {
      gossip: () => ({
        overlay: partialView({
          active: 3,
          passive: 12,
          shuffleInterval: 5_000,
          mergeInterval: 20_000,
        }),
      }),
      peers: (name) => ({
        maxOutbound: 0,
        persistent: name === 'n00' ? [] : ['n00'],
        exchange: { interval: 5_000 },
      }),
      setup: (node) => subscribers.set(node.name, listen(node)),
    });
    await sim.until(
      () =>
        nodes.size === 20 &&
        [...subscribers.values()].every(({ topic }) => topic.neighbors.length >= 1),
      60_000,
    );
    await sim.run(400_000);
    const downs = () =>
      [...nodes.values()].reduce((sum, node) => sum + eventsOf(node, 'neighborDown').length, 0);
    const before = downs();
    await sim.run(200_000);
    t.log(`${run.name}: ${before} in the first 400 s, ${downs() - before} in the next 200 s`);
    // One of every 16 intervals has a merge. That makes 13 merges of 200 in this time, and each
    // merge ends four links.
    t.true(downs() - before <= 100, run.name);
    await sim.settle(subscribers.get('n07')!.topic.publish('all there?'));
    await sim.run(5_000);
    t.true([...subscribers].every(([name, { words }]) => name === 'n07' || words.length === 1));
    t.deepEqual(await sim.close(), []);
  }
});
