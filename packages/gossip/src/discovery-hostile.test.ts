// Tests of discovery among nodes that lie, flood, or don't speak gossip.

import { createPeers } from '@trunkline/peers';
import { encodeQuestion } from './discovery/tags.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import { topicKey } from './protocol.ts';
import { areMet, idle, idOf, listen, meet, type Run, runs } from './testing/cluster.ts';
import { rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import { wiretap } from './testing/wiretap.ts';

const news = topicKey('news').bytes;
const seeking = { teller: idOf('stranger'), hearer: idOf('a') };

/** Sets up two nodes on a topic, and a stranger that is connected to one of them. */
async function visited(run: Run, topics: readonly string[]) {
  const { sim, node } = await meet(run, ['a', 'b']);
  const guest = await rawPeer(sim, { topics });
  await sim.run(2_000);
  const about = (topic: Uint8Array, between = seeking) =>
    encodeQuestion(between, [topic], guest.transport.random);
  /** Returns the ids of the nodes that a names, or the code of its error. */
  const ask = (question = about(news)) =>
    guest.talk.send(guest.remote, 'ask', question).then(
      ({ addresses }) => (addresses as { nodeId: string }[]).map(({ nodeId }) => nodeId),
      ({ code }) => code as string,
    );
  return { sim, a: node('a'), guest, about, ask };
}

test('a node that proves to be on a topic is told of others; one that knows only its name, or another topic, is not', async (t) => {
  const { sim, about, ask } = await visited(t.context, ['news']);
  t.deepEqual(await sim.settle(ask()), [idOf('b')]);
  t.deepEqual(await sim.settle(ask(about(topicKey('other').bytes))), []);
  const asB = about(news, { ...seeking, teller: idOf('b') });
  t.deepEqual(await sim.settle(ask(asB)), [], "b's question");
  t.is(await sim.settle(ask(new Uint8Array(17))), 'invalid_argument');
  t.deepEqual(await sim.close(), []);
  const other = await visited(t.context, ['other']);
  // Its own list shows that it is not on the topic.
  t.deepEqual(await other.sim.settle(other.ask()), []);
});

test('a flood of questions is answered only now and then, and lowers the score of its sender', async (t) => {
  const { sim, a, guest, ask } = await visited(t.context, ['news']);
  const before = a.peers.get(guest.nodeId)!.score;
  const answers = await sim.settle(Promise.all(Array.from({ length: 500 }, () => ask())));
  const told = answers.filter((answer) => answer.length > 0).length;
  t.true(told >= 9 && told <= 12, `${told}`);
  const { answered, refused } = a.gossip.snapshot().discovery!;
  t.deepEqual([answered, refused], [told, 500 - told]);
  t.true(a.peers.get(guest.nodeId)!.score < before);
  await sim.run(3_000);
  t.is((await sim.settle(ask())).length, 1, 'later it is answered again');
});

test('without discovery no node is visited, asked or told of', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c'], {
    gossip: (name) => ({ discovery: name === 'c' ? {} : false }),
    peers: (name) => ({
      persistent: name === 'b' ? ['a', 'c'] : [],
      exchange: { interval: 2_000 },
    }),
    topic: (name) => (name === 'b' ? undefined : {}),
    neighbors: 0,
  });
  listen(node('b'), 'other');
  await sim.until(() => node('b').peers.list().length === 2, 20_000);
  const { peers, gossip } = node('a');
  t.is(peers.list().length, 1);
  const { need, ...counts } = gossip.snapshot().discovery!;
  t.deepEqual([need, new Set(Object.values(counts))], ['none', new Set([0])]);
  await sim.until(() => areMet([subscriber('a')], 1), 120_000);
  t.is(gossip.snapshot().discovery!.visited, 0);
  t.is(node('c').gossip.snapshot().discovery!.found, 1, 'c visited it');
}, 1);

test(
  'a member may name any nodes: they are visited, but learn nothing of the topic',
  async (t) => {
    let leaks: ReturnType<typeof wiretap>['leaks'] = [];
    const { sim, node, subscriber } = await meet(t.context, ['a', 'innocent'], {
      gossip: () => ({ overlay: fullMesh(), discovery: { slowest: 2_000 } }),
      peers: () => ({ maxOutbound: 0, persistent: [] }),
      topic: (name) => (name === 'a' ? {} : undefined),
      neighbors: 0,
      prepare: (sim) => {
        ({ leaks } = wiretap(sim, 'news'));
      },
    });
    const at = (name: string, address = name) => ({ nodeId: idOf(name), address });
    const addresses = [null, 7, 'a', [], {}, { nodeId: 'no id', address: 'x' }, at('a')];
    addresses.push(at('nobody', ''), at('ghost', 'nowhere'), at('innocent'));
    for (let i = 0; i < 600; i++) addresses.push(at(`x${i}`));
    const { asks } = await rawPeer(sim, { name: 'falseReporter', addresses });
    const { gossip, peers } = node('a');
    await sim.until(() => peers.get(idOf('innocent')) !== undefined, 60_000);
    await sim.run(200_000);
    t.true(asks() >= 2 && asks() <= 5, `asked ${asks()} times`);
    t.true(peers.snapshot().book.size <= 16);
    t.is(gossip.snapshot().topics[0]!.neighbors.length, 1);
    await sim.settle(subscriber('a').topic.publish('hello'));
    await sim.run(1_000);
    t.deepEqual(leaks, [{ from: 'a', to: 'falseReporter', method: 'push' }]);
  },
  runs(2, ['message']),
);

test('nodes on the path between members need not speak gossip', async (t) => {
  const exchange = { interval: 2_000 };
  const between = ['p', 'q', 'r'];
  const { sim, subscribers, subscriber } = await meet(t.context, ['a', 'z'], {
    prepare: (simulation) => {
      for (const name of between)
        simulation.node(name, async ({ transport: make }) => {
          const transport = make(idle);
          const identity = { nodeId: idOf(name) };
          const persistent = between.filter((other) => other < name);
          const peers = createPeers({ transport, identity, maxOutbound: 0, persistent, exchange });
          await transport.listen();
          await peers.start();
          return () => peers.close().then(() => transport.close());
        });
    },
    peers: (name) => ({ persistent: [name === 'a' ? 'p' : 'r'], exchange }),
    neighbors: 0,
  });
  await sim.until(() => areMet(subscribers.values(), 1), 300_000);
  await sim.settle(subscriber('a').topic.publish('hello'));
  await sim.until(() => subscriber('z').words.includes('hello'), 5_000);
  t.pass();
});
