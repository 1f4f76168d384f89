// Tests that a message that one of three nodes publishes reaches all others.

import { createSimulation } from '@trunkline/simulation';
import test from 'ava';
import { fullMesh } from '../index.gossip.ts';
import { createNode, type MeshNode } from '../index.mesh.ts';
import { createIdentity } from '../index.security.ts';
import { addressOf, closing, neighbors, greeter as protocol, text } from './testing/fixture.ts';

const topics = { news: text };

for (const place of ['inmem', 'tcp'] as const)
  test(`three nodes over ${place}`, async (t) => {
    const start = async (name: string, seeds: string[]) => {
      const address = place === 'tcp' ? 'tcp://127.0.0.1:0' : addressOf(t, name);
      const identity = createIdentity();
      const options = { address, name, identity, protocol, peers: { seeds }, gossip: { topics } };
      return closing(t, await createNode(options));
    };
    const ada = await start('ada', []);
    const seed = ada.transport.advertiseAddr();
    const nodes = [ada, await start('bob', [seed]), await start('eve', [seed])];
    await Promise.all(nodes.map((node) => neighbors(node, 'news')));
    const readers = nodes.map(({ topics }) => topics.news[Symbol.asyncIterator]());
    for (const publisher of nodes) {
      await publisher.topics.news.publish(`by ${publisher.name}`);
      for (const [index, reader] of readers.entries())
        if (nodes[index] !== publisher)
          t.is((await reader.next()).value?.message, `by ${publisher.name}`);
    }
  });

test.serial('three nodes in a simulation, of which one crashes and comes back', async (t) => {
  const sim = createSimulation({ seed: 1, link: { latency: [1, 20] } });
  const nodes = new Map<string, MeshNode>();
  const got: string[] = [];
  for (const name of ['ada', 'bob', 'eve'])
    sim.node(name, async (context) => {
      const node = await createNode({
        address: name,
        name,
        protocol,
        createTransport: (_, { observer }) => context.transport(protocol, { observer }),
        peers: { seeds: name === 'ada' ? [] : ['ada'] },
        gossip: {
          overlay: fullMesh(),
          wall: () => context.clock.wall(),
          topics: {
            news: { codec: text, onMessage: (message) => void got.push(`${name}: ${message}`) },
          },
        },
      });
      nodes.set(name, node);
      return () => node.close();
    });
  const areMet = () =>
    nodes.size === 3 &&
    [...nodes.values()].every(({ topics }) => topics['news']!.neighbors.length === 2);
  await sim.until(areMet, 60_000);
  await nodes.get('bob')!.topics['news']!.publish('rain');
  await sim.until(() => got.length === 2, 10_000);
  nodes.delete('ada');
  sim.crash('ada');
  sim.restart('ada');
  await sim.until(areMet, 120_000);
  await nodes.get('ada')!.topics['news']!.publish('sun');
  await sim.until(() => got.length === 4, 10_000);
  t.deepEqual(got.sort(), ['ada: rain', 'bob: sun', 'eve: rain', 'eve: sun']);
  t.deepEqual(await sim.close(), []);
});
