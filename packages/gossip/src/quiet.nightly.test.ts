// Tests of a network in which nothing happens.

import { eventsOf, meet, namesOf } from './testing/cluster.ts';
import { overlay } from './testing/partial-view-network.ts';
import test from './testing/serial.ts';

test('nodes that lose no neighbor keep their neighbors', async (t) => {
  t.timeout(60_000);
  const names = namesOf(20);
  const { sim, nodes, subscribers, subscriber } = await meet(t.context, names, {
    gossip: () => ({ overlay }),
    peers: (name) => ({
      maxOutbound: 0,
      persistent: name === 'n00' ? [] : ['n00'],
      exchange: { interval: 5_000 },
    }),
    neighbors: 1,
  });
  await sim.run(400_000);
  const downs = () =>
    [...nodes.values()].reduce((sum, node) => sum + eventsOf(node, 'neighborDown').length, 0);
  const before = downs();
  await sim.run(200_000);
  t.log(`${before} in the first 400 s, ${downs() - before} in the next 200 s`);
  // One of every 16 intervals has a merge. That makes 13 merges of 200 in this time, and each
  // merge ends four links.
  t.true(downs() - before <= 100);
  await sim.settle(subscriber('n07').topic.publish('all there?'));
  await sim.run(5_000);
  t.true([...subscribers].every(([name, { words }]) => name === 'n07' || words.length === 1));
}, 1);
