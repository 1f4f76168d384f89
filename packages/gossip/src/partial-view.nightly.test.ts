// Longer tests of topics over partial views: neighbors that crash, and a network in which nothing
// happens.

import { eventsOf } from './testing/cluster.ts';
import { network } from './testing/partial-view-network.ts';
import test from './testing/serial.ts';

test('crashed neighbors are replaced, and nodes that return get all new messages', async (t) => {
  const { sim, met, names, subscriber } = await network(t.context, 12);
  await sim.run(20_000);
  const gone = ['n00', 'n03', 'n04', 'n07'];
  for (const name of gone) sim.crash(name);
  await sim.run(60_000);
  const alive = names.filter((name) => !gone.includes(name));
  for (const name of alive) await sim.settle(subscriber(name).topic.publish(`from ${name}`));
  await sim.run(10_000);
  for (const [i, name] of alive.entries()) {
    const expected = alive.toSpliced(i, 1).map((other) => `from ${other}`);
    t.deepEqual([...subscriber(name).words].sort(), expected, name);
  }
  for (const name of gone) sim.restart(name);
  await met();
  await sim.run(10_000);
  for (const name of gone) await sim.settle(subscriber(name).topic.publish(`again ${name}`));
  await sim.run(10_000);
  for (const name of names)
    for (const other of gone)
      if (name !== other)
        t.true(subscriber(name).words.includes(`again ${other}`), `${name} from ${other}`);
});

test('nodes that lose no neighbor keep their neighbors', async (t) => {
  t.timeout(60_000);
  const { sim, nodes, subscribers, subscriber } = await network(t.context, 20, {}, [], {
    peers: (name) => ({ persistent: name === 'n00' ? [] : ['n00'], exchange: { interval: 5_000 } }),
  });
  await sim.run(400_000);
  const downs = () => [...nodes.values()].flatMap((node) => eventsOf(node, 'neighborDown')).length;
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
