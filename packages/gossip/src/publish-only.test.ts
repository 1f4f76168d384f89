// Tests of nodes that only publish, among more nodes than the suite has: which links they use, what
// they do to the tree, and how they find subscribers.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { blameOf, eventsOf, listen, meet, namesOf, type Run, words } from './testing/cluster.ts';
import { network } from './testing/partial-view-network.ts';
import test from './testing/serial.ts';

const SOURCES = ['n12', 'n13'];

test('on a tree, nodes that only publish are sent no message and leave the tree as it is, even if the neighbor that they push to crashes', async (t) => {
  const { sim, names, node, met, subscriber } = await network(t.context, 14, {}, SOURCES);
  const received: string[] = [];
  if (t.context.level === 'message')
    sim.intercept(({ to, method }) => {
      if (SOURCES.includes(to) && method.endsWith('push')) received.push(to);
      return undefined;
    });
  await met(2);
  await sim.run(30_000);
  const sources = SOURCES.map((name) =>
    node(name).gossip.topic('news', words, { publishOnly: true }),
  );
  await sim.until(() => sources.every(({ neighbors }) => neighbors.length === 3), 60_000);
  const members = names.filter((name) => !SOURCES.includes(name));
  const changes = () =>
    members.flatMap((name) => [
      ...eventsOf(node(name), 'grafted'),
      ...eventsOf(node(name), 'pruned'),
    ]).length;
  const sent: string[] = [];
  const say = async (round: number) => {
    for (const [i, topic] of [...sources, subscriber('n01').topic].entries()) {
      sent.push(`${round} of ${i}`);
      await sim.settle(topic.publish(sent.at(-1)!));
      await sim.run(300);
    }
  };
  for (let round = 0; round < 10; round++) await say(round);
  const before = changes();
  for (let round = 10; round < 30; round++) await say(round);
  // Members that publish in turn cause 23 to 87 changes, and pushes to three neighbors 194.
  t.true(changes() - before < 100, `${changes() - before} changes of the tree`);
  const { details } = node('n12').gossip.snapshot().topics[0]!;
  const { tree } = details as { tree: { neighbors: { id: string; eager: boolean }[] } };
  const eager = tree.neighbors.filter((neighbor) => neighbor.eager);
  t.is(eager.length, 1);
  const victim = members.find((name) => node(name).nodeId === eager[0]!.id)!;
  const survivors = members.filter((name) => name !== victim);
  sim.crash(victim);
  for (let i = 0; i < 5; i++) {
    sent.push(`after the crash ${i}`);
    await sim.settle(sources[0]!.publish(sent.at(-1)!));
    await sim.run(200);
  }
  await sim.run(10_000);
  for (const name of survivors) {
    const own = name === 'n01' ? sent.filter((word) => !word.endsWith('of 2')) : sent;
    t.deepEqual([...subscriber(name).words].sort(), [...own].sort(), name);
  }
  t.deepEqual(received, []);
  for (const name of SOURCES) {
    const [topic] = node(name).gossip.snapshot().topics;
    t.deepEqual([topic!.delivered, topic!.duplicates, topic!.dropped], [0, 0, {}], name);
  }
  for (const name of [...SOURCES, ...survivors]) t.deepEqual(blameOf(node(name)), [], name);
}, 3);

for (const overlay of [fullMesh(), partialView({ active: 3, passive: 12 })]) {
  test(`a node that only publishes finds subscribers that it is not connected to: ${overlay.name}`, async (t) => {
    const names = namesOf(12);
    const { sim, node, subscribers } = await meet(t.context, names, {
      gossip: () => ({ overlay }),
      peers: (name) => ({
        persistent: [names[(names.indexOf(name) + 11) % 12]!],
        exchange: { interval: 5_000 },
      }),
      topic: (name) => (['n03', 'n06'].includes(name) ? {} : undefined),
      neighbors: 0,
    });
    const publisher = node('n00');
    // The list of topics that peers pull must contain only this one.
    listen(publisher, 'another topic');
    const topic = publisher.gossip.topic('news', words, { publishOnly: true });
    await sim.until(() => topic.neighbors.length === 2, 600_000);
    await sim.settle(topic.publish('found'));
    await sim.run(5_000);
    for (const [name, { heard, words: read, topic: own }] of subscribers) {
      t.false(own.neighbors.includes(publisher.nodeId), 'it is no subscriber');
      t.deepEqual([read, heard[0]!.meta.origin], [['found'], publisher.nodeId], name);
    }
  });
}

/** Sets up a subscriber a, and b, which only publishes. */
async function pair(run: Run) {
  const { sim, node, subscriber } = await meet(run, ['a', 'b'], {
    gossip: () => ({ overlay: partialView() }),
    topic: (name) => (name === 'a' ? {} : undefined),
    neighbors: 0,
  });
  const { gossip } = node('b');
  const topic = gossip.topic('news', words, { publishOnly: true });
  await sim.until(() => topic.neighbors.length === 1, 10_000);
  return { sim, a: node('a'), subscriber: subscriber('a'), gossip, topic };
}

test('the events of a node begin with its neighbors, but not with a topic that it only publishes on', async (t) => {
  const { sim, a, gossip } = await pair(t.context);
  const { value } = await sim.settle(gossip.events().next());
  t.deepEqual(value, { type: 'neighborUp', topic: 'news', nodeId: a.nodeId });
});

test('a subscriber that closes a topic and opens it again at once loses no message of a node that only publishes', async (t) => {
  const { sim, a, subscriber, topic } = await pair(t.context);
  await sim.run(1_000);
  subscriber.subscription.close();
  subscriber.topic.close();
  const { words: read } = listen(a);
  await sim.settle(topic.publish('one'));
  await sim.run(2_000);
  t.deepEqual(read, ['one']);
});
