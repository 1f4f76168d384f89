// Longer tests of topics over partial views: many hops, neighbors that crash, and a network in which
// nothing happens.

import { eventsOf } from './testing/cluster.ts';
import { network } from './testing/partial-view-network.ts';
import test from './testing/serial.ts';

test('a message reaches every node of a topic exactly once, even over several hops', async (t) => {
  const { sim, names, subscriber } = await network(t.context, 14);
  await sim.run(30_000);
  for (const name of names) t.true(subscriber(name).topic.neighbors.length <= 3);
  const sent: string[] = [];
  for (let i = 0; i < 40; i++) {
    const name = names[(i * 7) % names.length]!;
    sent.push(`${name} ${i}`);
    const { queued } = await sim.settle(subscriber(name).topic.publish(`${name} ${i}`));
    t.true(queued >= 1 && queued <= 3);
    await sim.run(100);
  }
  await sim.run(5_000);
  for (const name of names)
    t.deepEqual(
      [...subscriber(name).words].sort(),
      sent.filter((word) => !word.startsWith(name)).sort(),
      name,
    );
  const hops = names.flatMap((name) => subscriber(name).heard.map(({ meta }) => meta.hops));
  t.true(Math.max(...hops) >= 2 && Math.max(...hops) <= 19, `${Math.max(...hops)} hops`);
}, 1);

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
