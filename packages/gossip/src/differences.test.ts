// Tests of nodes that are set up differently from their peers: both ends report the difference, and
// nobody is blamed.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { topicKey } from './protocol.ts';
import { areMet, dropsOf, eventsOf, idOf, meet, runs, type TestNode } from './testing/cluster.ts';
import { rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';

/** Returns the differences from a peer that a node has reported. */
const differences = (node: TestNode, peer: TestNode) =>
  eventsOf(node, 'differs')
    .filter(({ nodeId }) => nodeId === peer.nodeId)
    .map(({ what, ours, theirs }) => [what, ours, theirs]);
const shortAtB = (name: string) => (name === 'b' ? { limit: 1_000 } : {});
const LONG = 'x'.repeat(5_000);

for (const overlay of [fullMesh(), partialView()]) {
  test(`${overlay.name}: a message above a peer's limit is reported on both sides, also in failed, and lowers no score`, async (t) => {
    const { sim, nodes, subscriber, node } = await meet(t.context, ['a', 'b', 'c'], {
      gossip: () => ({ overlay }),
      topic: shortAtB,
    });
    await sim.run(1_000);
    const [a, b] = [node('a'), node('b')];
    const { topic } = subscriber('a');
    const before = b.peers.get(a.nodeId)!.score;
    t.deepEqual(differences(a, b), [['limit', 1_048_576, 1_000]]);
    t.deepEqual(differences(b, a), [['limit', 1_000, 1_048_576]]);
    const to = ['b', 'c'].map(idOf);
    for (const audience of [{}, { to }, { to, min: 1 }]) {
      const { queued, failed = [] } = await sim.settle(topic.publish(LONG, audience));
      t.is(queued, 1);
      const failures = failed.map(({ nodeId, error }) => [nodeId, error.code, error.reason]);
      t.deepEqual(failures, [[b.nodeId, 'resource_exhausted', 'too_large']]);
      const { message } = failed[0]!.error;
      t.regex(message, /5002 .* above what node \w{64} accepts \(its limit for the topic: 1000\)/);
    }
    await sim.settle(topic.publish('short'));
    await sim.run(20_000);
    t.deepEqual([subscriber('b').words, subscriber('c').words.length], [['short'], 4]);
    for (const one of nodes.values()) t.deepEqual(eventsOf(one, 'misbehaved'), [], one.name);
    t.true(b.peers.get(a.nodeId)!.score >= before);
  }, 1);
}

test(
  'a message that arrives before its sender knows the limit is dropped, and the sender is told',
  async (t) => {
    let remove = () => {};
    const { sim, subscriber, node } = await meet(t.context, ['a', 'b'], {
      topic: shortAtB,
      prepare: (sim) => {
        remove = sim.intercept(({ method }) => (method === 'terms' ? 'drop' : 'pass'));
      },
    });
    await sim.run(11_000);
    remove();
    const [a, b] = [node('a'), node('b')];
    const before = b.peers.get(a.nodeId)!.score;
    const publish = () => sim.settle(subscriber('a').topic.publish(LONG));
    t.deepEqual(await publish(), { queued: 1 });
    await sim.run(500);
    t.deepEqual(dropsOf(b), ['too-large']);
    t.is(eventsOf(a, 'differs').length, 1);
    t.deepEqual([eventsOf(b, 'misbehaved'), b.peers.get(a.nodeId)!.score >= before], [[], true]);
    const { queued, failed = [] } = await publish();
    t.deepEqual([queued, failed.map(({ error }) => error.reason)], [0, ['too_large']]);
  },
  runs(1, ['message']),
);

test('a full mesh and a partial view on one topic are reported on both sides, and no score falls', async (t) => {
  const { sim, subscriber, node } = await meet(t.context, ['a', 'b', 'c'], {
    gossip: (name) => ({ overlay: name === 'b' ? partialView() : fullMesh() }),
    neighbors: 0,
  });
  await sim.until(() => areMet(['a', 'c'].map(subscriber), 1), 20_000);
  await sim.run(5_000);
  const [a, b, c] = [node('a'), node('b'), node('c')];
  for (const one of [a, c]) {
    t.deepEqual(differences(one, b), [['overlay', 'fullMesh', 'partialView']]);
    t.deepEqual(differences(b, one), [['overlay', 'partialView', 'fullMesh']]);
  }
  t.is(eventsOf(a, 'differs').length, 1);
  for (const [from, others] of [
    ['a', ['b']],
    ['b', ['a', 'c']],
  ] as const) {
    const before = sim.now;
    const { queued, failed = [] } = await sim.settle(subscriber(from).topic.publish(`of ${from}`));
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
  await sim.settle(subscriber('a').topic.publish('to b', { to: [b.nodeId] }));
  await sim.run(30_000);
  t.deepEqual([subscriber('b').words, subscriber('c').words], [['to b'], ['of a']]);
  for (const one of [a, b, c]) {
    t.deepEqual(eventsOf(one, 'misbehaved'), [], one.name);
    t.true(one.peers.list().every(({ score }) => score >= 50));
  }
});

test('a node that returns with the overlay of the others rejoins them', async (t) => {
  let isTree = true;
  const { sim, met, subscriber, node } = await meet(t.context, ['a', 'b'], {
    gossip: (name) => ({ overlay: name === 'b' && isTree ? partialView() : fullMesh() }),
    neighbors: 0,
  });
  await sim.until(() => eventsOf(node('a'), 'differs').length === 1, 20_000);
  t.deepEqual(subscriber('a').topic.neighbors, []);
  isTree = false;
  sim.restart('b');
  await met(1);
  await sim.settle(subscriber('a').topic.publish('again'));
  await sim.run(500);
  t.deepEqual(subscriber('b').words, ['again']);
}, 1);

test('a peer with another overlay that is not on the topic is no recipient, and no reason not to wait for one', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a'], {
    gossip: () => ({ overlay: partialView() }),
  });
  const guest = await rawPeer(sim, { topics: [] });
  const terms = { topic: topicKey('news').hex, overlay: 'fullMesh', limit: 1_048_576 };
  guest.talk.trySend(guest.remote, 'terms', terms);
  await sim.run(3_000);
  t.is(eventsOf(node('a'), 'differs').length, 1);
  const member = await rawPeer(sim, { name: 'member' });
  await sim.run(1_000);
  const { topic } = subscriber('a');
  const { interested } = node('a').gossip.snapshot().topics[0]!;
  t.deepEqual([interested, topic.neighbors], [1, []]);
  const published = topic.publish('hello');
  member.join();
  t.deepEqual(await sim.settle(published), { queued: 1 });
}, 1);
