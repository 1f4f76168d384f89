// Tests of topics that rely on the address book: a node that has lost all nodes it knew finds new
// nodes there.

import { partialView } from './overlay/partial-view.ts';
import { meet, namesOf, type Run } from './testing/cluster.ts';
import test from './testing/serial.ts';

/** A configuration with views so small that they alone don't know enough nodes. */
const overlay = partialView({
  active: 3,
  passive: 3,
  contacts: 2,
  shuffleInterval: 10_000,
  mergeInterval: 30_000,
});

/**
 * Sets up nodes whose seeds are the first three. The peers dial no other nodes by themselves; the
 * address books fill by exchange.
 */
async function network(run: Run, count: number) {
  const names = namesOf(count);
  const seeds = names.slice(0, 3);
  const made = await meet(run, names, {
    gossip: () => ({ overlay }),
    transport: { idleTimeout: 5_000 },
    peers: (name) => ({
      maxOutbound: 0,
      persistent: seeds.filter((seed) => seed < name),
      exchange: { interval: 3_000 },
    }),
    neighbors: 1,
  });
  const { sim, subscriber } = made;
  await sim.run(30_000);
  const said = async (from: string, word: string) => {
    await sim.settle(subscriber(from).topic.publish(word));
    await sim.run(5_000);
  };
  const heard = (name: string, word: string) => subscriber(name).words.includes(word);
  return { ...made, names, seeds, said, heard };
}

test('when nine of ten nodes and all first contacts crash at once, the remaining nodes find each other through their books', async (t) => {
  t.timeout(60_000);
  const { sim, names, subscriber, said, heard } = await network(t.context, 30);
  const left = names.slice(27);
  for (const name of names.slice(0, 27)) sim.crash(name);
  await sim.until(() => left.every((name) => subscriber(name).topic.neighbors.length > 0), 120_000);
  await sim.run(180_000);
  await said(left[0]!, 'anybody?');
  for (const name of left.slice(1)) t.true(heard(name, 'anybody?'), name);
}, 1);

test('two halves that were apart for minutes merge again, although all first contacts are gone', async (t) => {
  t.timeout(60_000);
  const { sim, names, seeds, said, heard } = await network(t.context, 15);
  const rest = names.slice(3);
  const halves = [rest.slice(0, 6), rest.slice(6)] as const;
  sim.partition(halves[0], halves[1]);
  for (const seed of seeds) sim.crash(seed);
  await sim.run(180_000);
  for (const half of halves) await said(half[0]!, `alone ${half[0]}`);
  for (const half of halves)
    for (const name of half.slice(1)) t.true(heard(name, `alone ${half[0]}`), name);
  for (const name of halves[1]) t.false(heard(name, `alone ${halves[0][0]}`));
  sim.heal();
  await sim.run(240_000);
  for (const half of halves) await said(half[1]!, `together ${half[1]}`);
  for (const half of halves)
    for (const name of rest)
      if (name !== half[1]) t.true(heard(name, `together ${half[1]}`), `${name} from ${half[1]}`);
}, 1);
