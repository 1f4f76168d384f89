// Tests of setting and changing the list of persistent peers: some peers are connected, some are
// disconnected, and the other connections stay untouched.

import type { PeersOptions } from './options.ts';
import { failureOf } from './testing/bare.ts';
import {
  boot,
  connected,
  idOf,
  isLinked,
  mesh,
  passive,
  star,
  type TestNode,
  targetOf,
} from './testing/cluster.ts';
import { eventsOf, test } from './testing/runs.ts';

/** Options of a node that knows only its persistent peers. */
const closed: Partial<PeersOptions> = { ...passive, maxInbound: 0, exchange: { enabled: false } };
const linksOf = ({ transport }: TestNode) => transport.remotes().map(({ id }) => id);

test('n nodes that all name each other have n − 1 peers each, with one link per pair, and keep them', async (t, sim) => {
  const names = Array.from({ length: 8 }, (_, i) => `n${i}`);
  const nodes = await mesh(sim, names, closed);
  await sim.run(10_000);
  const links = nodes.map(linksOf);
  await sim.run(300_000);
  for (const [i, node] of nodes.entries()) {
    t.is(connected(node, names).length, 7);
    t.is(linksOf(node).length, 7, 'one link per pair');
    t.deepEqual(linksOf(node), links[i], 'unchanged for minutes');
    t.deepEqual([eventsOf(node, 'up').length, eventsOf(node, 'down').length], [7, 0]);
  }
});

test('a new topology disconnects removed peers, dials added ones, and leaves the others alone', async (t, sim) => {
  const own = { maxOutbound: 0, persistent: ['b', targetOf('c')] };
  const [a, b, c] = await star(sim, ['b', 'c'], own);
  await boot(sim, ['d'], { peers: passive });
  const { remote } = a.peers.get(idOf('c'))!;
  const diff = a.peers.setTopology([targetOf('c'), 'd']);
  t.deepEqual(diff, { removed: ['b'], added: ['d'], changed: [], kept: [targetOf('c')] });
  t.deepEqual(a.peers.topology, [targetOf('c'), 'd']);
  await sim.until(() => isLinked(a, 'd') && !isLinked(a, 'b'), 5_000);
  await sim.run(300_000);
  t.deepEqual(connected(a, ['b', 'c', 'd']), ['c', 'd']);
  t.is(a.peers.get(idOf('c'))!.remote, remote);
  const downs = (node: TestNode) =>
    eventsOf(node, 'down').map(({ nodeId, cause }) => `${cause.reason} ${nodeId}`);
  const expected = [[`disconnected ${idOf('b')}`], [`disconnected ${idOf('a')}`], []];
  t.deepEqual([a, b, c].map(downs), expected);
  t.regex(eventsOf(b, 'down')[0]!.cause.message, /topology/);
});

test('a running call is answered before its peer is disconnected', async (t, sim) => {
  const [a] = await star(sim, ['b'], { maxOutbound: 0 });
  const answer = a.transport.send(`node:${idOf('b')}`, 'say', 'last');
  a.peers.setTopology([]);
  t.is(await sim.settle(answer), 'b: last');
  await sim.until(() => !isLinked(a, 'b'), 1_000);
});

test('a node whose address changed is both removed and added: it is connected at its new address', async (t, sim) => {
  const own = { maxOutbound: 0, persistent: [targetOf('b')] };
  const [a, b] = await star(sim, ['b'], own, { durable: false });
  const identity = { nodeId: idOf('b') };
  await boot(sim, ['b2'], { peers: { ...passive, identity }, durable: false });
  const moved = `${idOf('b')}@b2`;
  t.deepEqual(a.peers.setTopology([moved]), {
    removed: [targetOf('b')],
    added: [moved],
    changed: [{ from: targetOf('b'), to: moved }],
    kept: [],
  });
  await sim.until(() => a.peers.get(idOf('b'))?.remote.endpoint === 'b2', 5_000);
  await sim.run(10_000);
  const endpoints = a.transport.remotes().map(({ endpoint }) => endpoint);
  t.deepEqual(endpoints, ['b2']);
  t.deepEqual(b.peers.list(), []);
});

test('remove does not affect a peer that is not on the list', async (t, sim) => {
  const own = { persistent: [targetOf('c')], maxOutbound: 1, seeds: ['b'] };
  const [a] = await star(sim, ['b', 'c'], own);
  const links = linksOf(a);
  for (const target of [idOf('b'), 'b', targetOf('b'), `${idOf('c')}@elsewhere`])
    t.deepEqual(a.peers.remove(target), [], target);
  t.not(a.peers.addressOf(idOf('b')), undefined, 'its address stays in the book');
  await sim.run(5_000);
  t.deepEqual(linksOf(a), links);
});

for (const delay of [0, 6, 12, 20, 45, 70, 95, 120])
  test(`of all links that are in progress when a peer is removed from the list, none comes up or stays: after ${delay} ms`, async (t, sim) => {
    const [a, b] = await boot(sim, ['a', 'b'], { peers: closed, durable: false });
    sim.link('a', 'b', { latency: 20 });
    a.peers.add(targetOf('b'));
    b.peers.add(targetOf('a'));
    // Links that only one end wants do not come up either.
    if (delay > 20) b.peers.remove(targetOf('a'));
    await sim.run(delay);
    if (delay % 2 === 0) t.deepEqual(a.peers.remove(idOf('b')), [targetOf('b')]);
    else a.peers.setTopology([]);
    await sim.run(10_000);
    t.deepEqual([a.peers.list(), b.peers.list(), a.transport.remotes()], [[], [], []]);
    a.peers.add(targetOf('b'));
    b.peers.add(targetOf('a'));
    await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'), 20_000);
  });

test('a call that waits for a node fails if the node is removed from the list while it connects', async (t, sim) => {
  let remove = () => {};
  const filters = { nodeId: () => remove() };
  const [a] = await boot(sim, ['a', 'b'], {
    peers: (name) => (name === 'a' ? { ...passive, filters } : passive),
    durable: false,
  });
  remove = () => void a.peers.remove(idOf('b'));
  a.peers.add(targetOf('b'));
  await sim.run(1);
  const call = failureOf(a.transport.send(`node:${idOf('b')}`, 'say', 'x'));
  t.like(await sim.settle(call), { reason: 'disconnected', sent: false });
});

test('a removed peer is neither called nor heard, at either end, until it is added again', async (t, sim) => {
  const [a, b, c] = await mesh(sim, ['a', 'b', 'c'], closed);
  // Only a has changed its topology.
  a.peers.setTopology([targetOf('c')]);
  await sim.until(() => !isLinked(a, 'b') && !isLinked(b, 'a'), 10_000);
  await sim.run(60_000);
  const hint = (from: TestNode, to: string, text: string) =>
    from.transport.trySend(`node:${idOf(to)}`, 'hint', text);
  t.false(hint(b, 'a', 'from b') || hint(a, 'b', 'from a'));
  t.true(hint(c, 'a', 'from c'));
  const call = b.transport.send(`node:${idOf('a')}`, 'say', 'x');
  t.is((await sim.settle(failureOf(call))).reason, 'full');
  const refused = eventsOf(a, 'rejected').find(({ reason }) => reason === 'full')!;
  t.deepEqual([refused.nodeId, refused.direction], [idOf('b'), 'in']);
  a.peers.setTopology([targetOf('b'), targetOf('c')]);
  await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'), 10_000);
  t.true(hint(b, 'a', 'again from b') && hint(a, 'b', 'again from a'));
  await sim.run(1_000);
  t.deepEqual([a.hints, b.hints], [['from c', 'again from b'], ['again from a']]);
  t.deepEqual(eventsOf(c, 'down'), []);
});

test(
  'however the lists change, the links end up as those that both ends want',
  async (t, sim, run) => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const nodes = await boot(sim, names, { peers: closed, durable: false });
    let state = run.seed * 7919;
    const coin = () => ((state = (state * 48_271) % 2_147_483_647) & 64) === 0;
    for (let round = 0; round < 6; round++) {
      const pairs = names.flatMap((one, i) =>
        names.slice(i + 1).flatMap((other) => (coin() ? [[one, other]] : [])),
      );
      const wanted = ({ name }: TestNode) =>
        names.filter((other) => pairs.some((pair) => pair.includes(name) && pair.includes(other)));
      const others = (node: TestNode) => wanted(node).filter((name) => name !== node.name);
      for (const node of nodes) {
        node.peers.setTopology(others(node).map(targetOf));
        await sim.run(coin() ? 0 : 30);
      }
      const isAsWanted = () =>
        nodes.every((node) => connected(node, names).join() === others(node).join());
      await sim.until(isAsWanted, 30_000);
      await sim.run(5_000);
      t.true(isAsWanted(), `round ${round}`);
    }
  },
  { count: 4 },
);
