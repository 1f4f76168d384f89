// Tests of admission to a node: limits, bans, and the errors that both ends see.

import { failureOf } from './testing/bare.ts';
import { boot, cluster, connected, echo, hub, idOf, isLinked, passive } from './testing/cluster.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

test('maxInbound limits ordinary inbound peers, but not persistent and unconditional ones; a freed place is used again', async (t, sim) => {
  const others = ['b1', 'b2', 'b3', 'friend', 'partner'] as const;
  const [a, ...nodes] = await hub(sim, others, {
    maxInbound: 2,
    unconditional: [idOf('friend')],
    persistent: [`${idOf('partner')}@partner`],
  });
  nodes[4].peers.remove('a');
  sim.refuse('friend');
  await sim.until(() => isLinked(a, 'friend') && isLinked(a, 'partner'), 10_000);
  await sim.run(5_000);
  const inside = connected(a, others);
  t.is(inside.length, 4);
  const { inbound, outbound } = a.peers.snapshot();
  t.deepEqual([inbound, outbound], [2, 0], 'the others count against no cap');
  const outside = nodes.find(({ name }) => !inside.includes(name))!;
  t.deepEqual([rejections(outside), rejections(a)], [['full out'], ['full in']]);
  for (const { error } of eventsOf(outside, 'rejected'))
    t.deepEqual([error.reason, error.origin], ['full', 'remote']);
  t.true(eventsOf(a, 'rejected').every(({ nodeId }) => nodeId === idOf(outside.name)));
  const remotes = [outside, a].map(({ transport }) => transport.remotes().length);
  t.deepEqual(remotes, [0, 4], 'no trace of it is left at either end');
  sim.crash(inside.find((name) => name.startsWith('b'))!);
  await sim.until(() => isLinked(a, outside.name), 60_000);
  t.is(a.peers.snapshot().inbound, 2);
});

test('peers that connect at once while a filter is deciding never exceed the cap', async (t, sim) => {
  const later: (() => void)[] = [];
  const filters = { nodeId: () => new Promise<void>((resolve) => later.push(resolve)) };
  const names = Array.from({ length: 12 }, (_, i) => `b${i}`);
  const [a] = await hub(sim, names, { maxInbound: 5, filters, exchange: { enabled: false } });
  await sim.run(500);
  t.is(later.length, 5, 'no more are being filtered');
  for (const open of later.splice(0)) open();
  await sim.run(100);
  t.is(a.peers.list().length, 5);
});

test('a peer that becomes persistent while it is connected no longer counts against any cap', async (t, sim) => {
  const [a, , c] = await hub(sim, ['b', 'c'], { maxInbound: 1 });
  c.peers.remove('a');
  await sim.until(() => isLinked(a, 'b'));
  a.peers.add(`${idOf('b')}@b`);
  await sim.run(2_000);
  t.true(a.peers.get(idOf('b'))!.persistent);
  t.is(a.peers.snapshot().inbound, 0);
  c.peers.add('a');
  await sim.until(() => isLinked(a, 'c'), 10_000);
});

test('a ban disconnects a node, refuses it on every address and in both directions, and ends', async (t, sim) => {
  const b2 = { nodeId: idOf('b') };
  const nodes = cluster(sim, ['a', 'b', 'moved'], {
    peers: (name) =>
      name === 'a' ? {} : { ...passive, identity: b2, persistent: name === 'b' ? ['a'] : [] },
    durable: false,
  });
  await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('b'), 'a'));
  const [a, b] = [nodes.get('a')!, nodes.get('b')!];
  a.peers.ban(idOf('b'), 60_000);
  const until = sim.now + 60_000;
  await sim.until(() => !isLinked(a, 'b') && !isLinked(b, 'a'), 1_000);
  for (const node of [a, b]) t.is(eventsOf(node, 'down')[0]!.cause.reason, 'denied');
  await sim.until(() => rejections(b).includes('denied out'), 10_000);
  const call = failureOf(a.transport.send(`node:${idOf('b')}`, 'say', 'x'));
  t.like(await sim.settle(call), { code: 'permission_denied', reason: 'denied' });
  sim.crash('b');
  nodes.get('moved')!.peers.add('a');
  await sim.run(until - sim.now - 1_000);
  t.false(isLinked(a, 'b'));
  const elsewhere = eventsOf(nodes.get('moved')!, 'rejected');
  t.true(elsewhere.some(({ reason, error }) => reason === 'denied' && error.origin === 'remote'));
  for (const { reason, nodeId } of eventsOf(a, 'rejected'))
    t.deepEqual([reason, nodeId], ['denied', idOf('b')]);
  await sim.until(() => isLinked(a, 'b'), 125_000);
  a.peers.ban(idOf('b'));
  await sim.until(() => !isLinked(a, 'b'), 1_000);
  a.peers.unban(idOf('b'));
  await sim.until(() => isLinked(a, 'b'), 60_000);
});

test('a ban made before the start holds when the address book is loaded', async (t, sim) => {
  const nodes = cluster(sim, ['a', 'b'], {
    peers: (name) => (name === 'a' ? passive : { ...passive, persistent: ['a'] }),
  });
  await sim.until(() => isLinked(nodes.get('a'), 'b'));
  await sim.settle(nodes.get('a')!.peers.close());
  sim.crash('a');
  sim.restart('a');
  // The node is up before its book has been read.
  sim.disk('a', { latency: 200 });
  nodes.delete('a');
  await sim.until(() => nodes.has('a'));
  nodes.get('a')!.peers.ban(idOf('b'));
  await sim.run(60_000);
  t.deepEqual(nodes.get('a')!.peers.list(), []);
  t.true(rejections(nodes.get('b')!).includes('denied out'));
});

test('a banned node that connects while the address book loads is disconnected', async (t, sim) => {
  const nodes = cluster(sim, ['a', 'b'], {
    peers: (name) => (name === 'a' ? passive : { ...passive, persistent: ['a'] }),
  });
  await sim.until(() => isLinked(nodes.get('a'), 'b'));
  nodes.get('a')!.peers.ban(idOf('b'));
  await sim.settle(nodes.get('a')!.peers.close());
  sim.crash('a');
  nodes.delete('a');
  sim.disk('a', { latency: 10_000 });
  sim.restart('a');
  await sim.until(() => isLinked(nodes.get('a'), 'b'), 60_000);
  await sim.run(60_000);
  t.deepEqual(nodes.get('a')!.peers.list(), []);
  t.is(eventsOf(nodes.get('a')!, 'down')[0]!.cause.reason, 'denied');
  sim.disk('a', { latency: 0 });
  await sim.run(20_000);
});

for (const delay of [10, 30, 50, 70, 90])
  test(`a node that is banned while it connects never becomes a peer: after ${delay} ms`, async (t, sim) => {
    const [a, b] = await boot(sim, ['a', 'b'], { peers: passive, durable: false });
    sim.link('a', 'b', { latency: 20 });
    b.peers.add('a');
    await sim.run(delay);
    a.peers.ban(idOf('b'));
    await sim.run(10_000);
    t.deepEqual([a.peers.list(), a.transport.remotes()], [[], []]);
    t.true(
      rejections(b).includes('denied out') || eventsOf(b, 'down')[0]?.cause.reason === 'denied',
    );
  });

test('in public mode one network gets a quarter of the inbound places at most, and others still get in', async (t, sim) => {
  const crowd = Array.from({ length: 10 }, (_, i) => `8.8.${i}.1`);
  const [a] = await hub(sim, crowd, { addresses: 'public', maxInbound: 12 });
  await sim.run(10_000);
  t.is(connected(a, crowd).length, 3);
  t.deepEqual(rejections(a), ['full in']);
  const others = ['9.9.9.9', '1.1.1.1'];
  cluster(sim, others, { peers: { ...passive, persistent: ['a'] } });
  await sim.until(() => others.every((name) => isLinked(a, name)), 5_000);
  t.is(a.peers.list().length, 5);
});

test('a node of another network and a node without peers are both rejected as incompatible', async (t, sim) => {
  const far = sim.client(echo, { name: 'far', network: 'elsewhere' });
  const plain = sim.client(echo, { name: 'plain' });
  await sim.settle(Promise.all([far.listen(), plain.listen()]));
  const nodes = cluster(sim, ['a'], { peers: { persistent: ['far', 'plain'] } });
  await sim.run(500);
  const a = nodes.get('a')!;
  const told = eventsOf(a, 'rejected').map(({ reason, addr }) => `${addr} ${reason}`);
  t.deepEqual(told.sort(), ['far incompatible', 'plain incompatible']);
  t.deepEqual(a.transport.remotes(), []);
});

test('a node that disconnects while `admit` judges it takes no place', async (t, sim) => {
  let judge = () => {};
  const verdict = new Promise<void>((resolve) => void (judge = resolve));
  const names = ['a', 'b', 'c'] as const;
  const [a, b, c] = await boot(sim, names, {
    peers: { ...passive, maxInbound: 1 },
    transport: (name) => (name === 'a' ? { admit: () => verdict } : {}),
    durable: false,
  });
  void failureOf(b.transport.dial('a'));
  await sim.run(100);
  await sim.settle(b.transport.close());
  judge();
  await sim.settle(c.transport.dial('a'));
  await sim.until(() => isLinked(a, 'c'));
  t.true(isLinked(a, 'c'));
});
