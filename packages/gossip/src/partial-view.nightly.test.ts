// Longer tests of topics over partial views: many hops, and neighbors that crash.

import { eventsOf, idOf } from './testing/cluster.ts';
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
  const hops = Math.max(
    ...names.flatMap((name) => subscriber(name).heard.map(({ meta }) => meta.hops)),
  );
  t.true(hops >= 2 && hops <= 19, `${hops} hops`);
  t.true(
    subscriber('n05').heard.every(
      ({ meta }) => meta.origin !== idOf('n05') && subscriber('n05').topic.neighbors.length > 0,
    ),
  );
}, 1);

test('crashed neighbors are replaced, and nodes that return get all new messages', async (t) => {
  const { sim, met, names, nodes, subscriber } = await network(t.context, 12);
  await sim.run(20_000);
  const gone = ['n00', 'n03', 'n04', 'n07'];
  for (const name of gone) sim.crash(name);
  await sim.run(60_000);
  const alive = names.filter((name) => !gone.includes(name));
  for (const name of alive) await sim.settle(subscriber(name).topic.publish(`from ${name}`));
  await sim.run(10_000);
  for (const name of alive) {
    t.deepEqual(
      [...subscriber(name).words].sort(),
      alive
        .filter((other) => other !== name)
        .map((other) => `from ${other}`)
        .sort(),
      name,
    );
    t.true(eventsOf(nodes.get(name)!, 'neighborUp').length > 0);
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
