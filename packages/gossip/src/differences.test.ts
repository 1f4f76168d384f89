// Tests of nodes that are set up differently from their peers: both ends report the difference, and
// nobody is blamed.

import test from 'ava';
import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import {
  areMet,
  cluster,
  eventsOf,
  idOf,
  listen,
  runs,
  type Subscriber,
  simulationOf,
  type TestNode,
} from './testing/cluster.ts';

const differences = (node: TestNode) =>
  eventsOf(node, 'differs').map(({ nodeId, what, ours, theirs }) => ({
    nodeId,
    what,
    ours,
    theirs,
  }));

for (const overlay of [fullMesh(), partialView()]) {
  test.serial(
    `${overlay.name}: a message above a peer's limit is reported on both sides, also in failed, and lowers no score`,
    async (t) => {
      for (const run of runs(1)) {
        const sim = simulationOf(run);
        const subscribers = new Map<string, Subscriber>();
        const nodes = cluster(sim, ['a', 'b', 'c'], {
          gossip: () => ({ overlay }),
          setup: (node) =>
            void subscribers.set(
              node.name,
              listen(node, 'news', node.name === 'b' ? { limit: 1_000 } : {}),
            ),
        });
        await sim.until(() => nodes.size === 3 && areMet(subscribers.values(), 2), 20_000);
        await sim.run(1_000);
        const [a, b] = [nodes.get('a')!, nodes.get('b')!];
        const { topic } = subscribers.get('a')!;
        const before = b.peers.get(a.nodeId)!.score;
        t.deepEqual(
          differences(a).filter(({ nodeId }) => nodeId === b.nodeId),
          [{ nodeId: b.nodeId, what: 'limit', ours: 1_048_576, theirs: 1_000 }],
          run.name,
        );
        t.deepEqual(
          differences(b).filter(({ nodeId }) => nodeId === a.nodeId),
          [{ nodeId: a.nodeId, what: 'limit', ours: 1_000, theirs: 1_048_576 }],
        );
        for (const audience of [{}, { to: ['b', 'c'].map(idOf) }]) {
          const { queued, failed = [] } = await sim.settle(
            topic.publish('x'.repeat(5_000), audience),
          );
          t.is(queued, 1);
          t.deepEqual(
            failed.map(({ nodeId, error }) => [nodeId, error.code, error.reason]),
            [[b.nodeId, 'resource_exhausted', 'too_large']],
          );
          t.regex(
            failed[0]!.error.message,
            /of 5002 bytes is above what node [0-9a-f]{64} accepts \(its limit for the topic: 1000\)/,
          );
        }
        await sim.settle(topic.publish('short'));
        await sim.run(20_000);
        t.deepEqual(
          [subscribers.get('b')!.words, subscribers.get('c')!.words.length],
          [['short'], 3],
        );
        for (const node of nodes.values()) t.deepEqual(eventsOf(node, 'misbehaved'), [], node.name);
        t.true(b.peers.get(a.nodeId)!.score >= before);
        t.deepEqual(await sim.close(), []);
      }
    },
  );
}

test.serial(
  'a message that arrives before its sender knows the limit is dropped, and the sender is told',
  async (t) => {
    for (const run of runs(1, ['message'])) {
      const sim = simulationOf(run);
      const subscribers = new Map<string, Subscriber>();
      const nodes = cluster(sim, ['a', 'b'], {
        setup: (node) =>
          void subscribers.set(
            node.name,
            listen(node, 'news', node.name === 'b' ? { limit: 1_000 } : {}),
          ),
      });
      const remove = sim.intercept(({ method }) => (method === 'terms' ? 'drop' : 'pass'));
      await sim.until(() => nodes.size === 2 && areMet(subscribers.values(), 1), 20_000);
      await sim.run(11_000);
      remove();
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      const before = b.peers.get(a.nodeId)!.score;
      t.deepEqual(await sim.settle(subscribers.get('a')!.topic.publish('x'.repeat(5_000))), {
        queued: 1,
      });
      await sim.run(500);
      t.deepEqual(
        eventsOf(b, 'dropped').map(({ reason }) => reason),
        ['too-large'],
      );
      t.is(differences(a).length, 1, run.name);
      t.deepEqual([eventsOf(b, 'misbehaved'), b.peers.get(a.nodeId)!.score >= before], [[], true]);
      const { queued, failed = [] } = await sim.settle(
        subscribers.get('a')!.topic.publish('x'.repeat(5_000)),
      );
      t.deepEqual([queued, failed.map(({ error }) => error.reason)], [0, ['too_large']]);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a full mesh and a partial view on one topic are reported on both sides, and no score falls',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const subscribers = new Map<string, Subscriber>();
      const nodes = cluster(sim, ['a', 'b', 'c'], {
        gossip: (name) => ({ overlay: name === 'b' ? partialView() : fullMesh() }),
        setup: (node) => void subscribers.set(node.name, listen(node)),
      });
      await sim.until(
        () => nodes.size === 3 && areMet([subscribers.get('a')!, subscribers.get('c')!], 1),
        20_000,
      );
      await sim.run(5_000);
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      t.deepEqual(
        differences(a),
        [{ nodeId: b.nodeId, what: 'overlay', ours: 'fullMesh', theirs: 'partialView' }],
        run.name,
      );
      t.deepEqual(
        differences(b).toSorted((x, y) => (x.nodeId < y.nodeId ? -1 : 1)),
        [idOf('a'), idOf('c')]
          .toSorted()
          .map((nodeId) => ({ nodeId, what: 'overlay', ours: 'partialView', theirs: 'fullMesh' })),
      );
      for (const [from, others] of [
        ['a', ['b']],
        ['b', ['a', 'c']],
      ] as const) {
        const before = sim.now;
        const { queued, failed = [] } = await sim.settle(
          subscribers.get(from)!.topic.publish(`of ${from}`),
        );
        t.true(sim.now - before < 100, 'nobody is waited for');
        t.is(queued, 2 - others.length);
        t.deepEqual(failed.map(({ nodeId }) => nodeId).sort(), others.map(idOf).sort());
        for (const { error } of failed) {
          t.is(error.code, 'failed_precondition');
          t.regex(
            error.message,
            /^node [0-9a-f]{64} uses the overlay \w+ on topic news, but this node uses \w+, so no message gets through/,
          );
        }
      }
      await sim.settle(subscribers.get('a')!.topic.publish('to b', { to: [b.nodeId] }));
      await sim.run(30_000);
      t.deepEqual([subscribers.get('b')!.words, subscribers.get('c')!.words], [['to b'], ['of a']]);
      for (const node of nodes.values()) {
        t.deepEqual(eventsOf(node, 'misbehaved'), [], node.name);
        for (const { nodeId } of node.peers.list()) t.true(node.peers.get(nodeId)!.score >= 50);
      }
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a node that returns with the overlay of the others rejoins them', async (t) => {
  for (const run of runs(1)) {
    const sim = simulationOf(run);
    const subscribers = new Map<string, Subscriber>();
    let isTree = true;
    const nodes = cluster(sim, ['a', 'b'], {
      gossip: (name) => ({ overlay: name === 'b' && isTree ? partialView() : fullMesh() }),
      setup: (node) => void subscribers.set(node.name, listen(node)),
    });
    await sim.until(() => nodes.size === 2 && differences(nodes.get('a')!).length === 1, 20_000);
    t.deepEqual(subscribers.get('a')!.topic.neighbors, []);
    isTree = false;
    sim.restart('b');
    await sim.until(() => nodes.size === 2 && areMet(subscribers.values(), 1), 60_000);
    await sim.settle(subscribers.get('a')!.topic.publish('again'));
    await sim.run(500);
    t.deepEqual(subscribers.get('b')!.words, ['again'], run.name);
    t.deepEqual(await sim.close(), []);
  }
});
