// Tests that distant nodes of a topic find each other, and that no other node learns of the topic.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import {
  areMet,
  idOf,
  listen,
  type MeetOptions,
  meet,
  namesOf,
  type Run,
  runs,
  words,
} from './testing/cluster.ts';
import test from './testing/serial.ts';
import { wiretap } from './testing/wiretap.ts';

const calm = partialView({ active: 3, passive: 12 });

/**
 * Sets up a ring of nodes: each stays connected to the two nodes before it, and learns of others
 * from them. Waits until all are connected.
 */
async function ring(run: Run, count: number, options: MeetOptions) {
  const names = namesOf(count);
  const made = await meet(run, names, {
    ...options,
    peers: (name) => ({
      persistent: [1, 2].map((back) => names.at(names.indexOf(name) - back)!),
      exchange: { interval: 5_000 },
      ...options.peers?.(name),
    }),
    topic: () => undefined,
  });
  const isMet = (name: string) => made.node(name).peers.list().length >= 4;
  await made.sim.until(() => names.every(isMet), 60_000);
  return made;
}

for (const overlay of [calm, fullMesh()]) {
  test(
    `three of forty nodes, far apart, find each other on a topic that no other node learns of: ${overlay.name}`,
    async (t) => {
      t.timeout(120_000);
      const { sim, node } = await ring(t.context, 40, { gossip: () => ({ overlay }) });
      const three = ['n00', 'n13', 'n27'];
      const { leaks, messages } = wiretap(sim, 'a secret topic');
      const connected = three.flatMap((name) => node(name).peers.list());
      const ids = connected.map(({ nodeId }) => nodeId);
      t.false(three.map(idOf).some((id) => ids.includes(id)));
      const members = three.map((name) => listen(node(name), 'a secret topic'));
      const opened = sim.now;
      const least = overlay === calm ? 1 : 2;
      await sim.until(() => members.every(({ topic }) => topic.neighbors.length >= least), 600_000);
      t.log(`${Math.round((sim.now - opened) / 1_000)} s, ${messages()} messages`);
      await sim.run(5_000);
      for (const [i, { topic }] of members.entries()) await sim.settle(topic.publish(three[i]!));
      await sim.run(5_000);
      for (const [i, member] of members.entries())
        t.deepEqual(member.words.toSorted(), three.toSpliced(i, 1), three[i]);
      t.true(leaks.length > 0);
      const outside = leaks.filter(({ from, to }) => !three.includes(from) || !three.includes(to));
      t.deepEqual(outside, []);
    },
    runs(2, ['message']),
  );
}

for (const overlay of [
  partialView({ active: 3, passive: 12, mergeInterval: Number.POSITIVE_INFINITY }),
  fullMesh(),
]) {
  test(`two islands of a topic that do not know each other merge: ${overlay.name}`, async (t) => {
    const { sim, node } = await ring(t.context, 16, { gossip: () => ({ overlay }) });
    const four = ['n00', 'n01', 'n08', 'n09'];
    const members = four.map((name) => listen(node(name)));
    await sim.until(() => areMet(members, 1), 10_000);
    t.deepEqual(members[0]!.topic.neighbors, [idOf('n01')]);
    await sim.until(() => areMet(members, 3), 600_000);
    await sim.settle(members[3]!.topic.publish('hello'));
    await sim.run(2_000);
    const received = members.map(({ words: heard }) => heard);
    t.deepEqual(received, [['hello'], ['hello'], ['hello'], []]);
  });
}

test('discovery visits few strangers at a time, and none when enough members are found', async (t) => {
  const { sim, nodes, node } = await ring(t.context, 20, {
    gossip: () => ({ overlay: calm }),
    peers: () => ({ status: words }),
  });
  for (const { peers } of nodes.values()) peers.status.set('here');
  const walker = node('n05');
  const subscriber = listen(walker, 'lonely');
  let most = 0;
  sim.always('it is looked at', () => {
    most = Math.max(most, walker.peers.list().length);
    return true;
  });
  await sim.run(300_000);
  const { need, visited, asked, found } = walker.gossip.snapshot().discovery!;
  t.deepEqual({ need, asked, found }, { need: 'first', asked: 0, found: 0 });
  t.true(visited >= 15 && visited <= 120, `${visited}`);
  t.true(most <= 4 + 2 * 2, `two strangers, and two that are being disconnected: ${most}`);
  subscriber.topic.close();
  subscriber.subscription.close();
  await sim.run(10_000);
  t.is(walker.peers.list().length, 4);
  t.is(walker.gossip.snapshot().discovery!.visited, visited);
}, 1);

test('after the bootstrap node dies a node reaches nobody until it learns an address, then they talk', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c', 'd'], {
    gossip: () => ({ overlay: calm }),
    peers: (name) => ({
      persistent: name === 'b' || name === 'd' ? ['a'] : [],
      exchange: { interval: 2_000 },
    }),
    topic: (name) => (name === 'd' ? undefined : {}),
    neighbors: 0,
  });
  const { peers } = node('c');
  const [b, c] = [subscriber('b'), subscriber('c')];
  await sim.until(() => areMet([b], 1), 60_000);
  await sim.run(10_000);
  sim.crash('a');
  peers.add('a');
  await sim.run(120_000);
  await sim.settle(c.topic.publish('is anybody there?'));
  await sim.run(5_000);
  t.deepEqual([c.topic.neighbors, b.words], [[], []], 'no node gets it');
  // c learns of d, which is not on the topic but has heard of b from a.
  peers.add('d');
  await sim.until(() => c.topic.neighbors.length === 1, 120_000);
  t.deepEqual(c.topic.neighbors, [idOf('b')]);
  await sim.settle(c.topic.publish('hello'));
  await sim.settle(b.topic.publish('hello to you'));
  await sim.run(2_000);
  t.true(b.words.includes('hello') && c.words.includes('hello to you'));
});
