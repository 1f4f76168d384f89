// Tests of connections that are lost and come back: which end dials again, when it does so, and
// which messages are sent afterwards.

import { boot, cluster, connected, idOf, isLinked, passive, star } from './testing/cluster.ts';
import { entry, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

test('a persistent peer is dialed until it is connected, also after failed dials, and again whenever it is lost', async (t, sim) => {
  const nodes = cluster(sim, ['a', 'b'], {
    peers: (name) => (name === 'a' ? { persistent: ['b'] } : passive),
    durable: false,
  });
  sim.refuse('b');
  await sim.run(20_000);
  const a = nodes.get('a')!;
  const areLinked = () => isLinked(a, 'b') && isLinked(nodes.get('b'), 'a');
  const failed = eventsOf(a, 'rejected');
  t.true(failed.length >= 4 && failed.length <= 8, `with growing pauses, ${failed.length} times`);
  t.deepEqual(rejections(a), ['unreachable out']);
  for (const { error, addr } of failed)
    t.deepEqual([error.reason, addr], ['connection_refused', 'b']);
  sim.heal();
  await sim.until(areLinked, 20_000);
  t.true(a.peers.get(idOf('b'))!.persistent, 'its id is known by now');
  await sim.run(15_000);
  for (const power of ['kept', 'lost'] as const) {
    sim.crash('b', { power });
    await sim.run(20_000);
    t.false(isLinked(a, 'b'));
    sim.restart('b');
    await sim.until(areLinked, 40_000);
    await sim.run(15_000);
  }
  const reasons = eventsOf(a, 'down').map(({ cause }) => cause.reason);
  t.deepEqual(reasons, ['reset', 'ping_timeout']);
});

test('a persistent peer that dialed this node is dialed by it if it does not reconnect by itself', async (t, sim) => {
  let dials = true;
  const nodes = cluster(sim, ['a', 'b'], {
    peers: (name) => (name === 'b' && dials ? { ...passive, persistent: ['a'] } : passive),
    durable: false,
  });
  await sim.until(() => isLinked(nodes.get('a'), 'b'));
  const a = nodes.get('a')!;
  const directions = () => a.transport.remotes().map(({ direction }) => direction);
  a.peers.add(`${idOf('b')}@b`);
  await sim.run(10_000);
  t.deepEqual(directions(), ['in'], 'an existing link is enough');
  dials = false;
  sim.crash('b');
  await sim.run(1_000);
  sim.restart('b');
  await sim.until(() => isLinked(a, 'b') && isLinked(nodes.get('b'), 'a'), 30_000);
  t.deepEqual(directions(), ['out']);
});

test('an ordinary peer that was lost by accident is connected again within seconds', async (t, sim) => {
  // c knows both others, and only a dials.
  const [a] = await boot(sim, ['a', 'b', 'c'], {
    peers: (name) =>
      name === 'a' ? { seeds: ['c'] } : { ...passive, persistent: name === 'b' ? ['c'] : [] },
  });
  await sim.until(() => isLinked(a, 'b'), 90_000);
  t.false(a.peers.get(idOf('b'))!.persistent);
  await sim.run(12_000);
  sim.reset('a', 'b');
  await sim.until(() => !isLinked(a, 'b'));
  t.is(eventsOf(a, 'down').at(-1)!.cause.reason, 'reset');
  await sim.until(() => isLinked(a, 'b'), 3_000);
});

test('an ordinary peer that violates the protocol is disconnected, and another known node takes its place', async (t, sim) => {
  const evil = rawPeer(sim, 'evil');
  const told = [['evil'], ['b', 'c']];
  const next = () => (told.length > 1 ? told.shift()! : told[0]!);
  const seed = rawPeer(sim, 's', { answer: () => next().map((name) => entry(name)) });
  await sim.settle(Promise.all([evil.transport.listen(), seed.transport.listen()]));
  const [a] = await boot(sim, ['a', 'b', 'c'], {
    peers: (name) => (name === 'a' ? { seeds: ['s'], maxOutbound: 2 } : passive),
    durable: false,
  });
  await sim.until(() => isLinked(a, 'evil'), 10_000);
  await sim.until(() => a.peers.snapshot().book.size === 4, 90_000);
  t.deepEqual(connected(a, ['evil', 's']), ['evil', 's']);
  t.is(a.peers.get(evil.nodeId)!.score, 100);
  const [link] = evil.links;
  for (let i = 0; i < 3; i++) evil.ask(link!);
  await sim.until(() => !isLinked(a, 'evil'), 5_000);
  t.is(eventsOf(a, 'down').at(-1)!.cause.reason, 'flood');
  await sim.run(60_000);
  t.is(evil.downs[0]!.reason, 'flood', 'it gets the reason');
  t.false(isLinked(a, 'evil'), 'others take its place');
  t.is(connected(a, ['b', 'c', 's']).length, 2);
});

test('when the server disconnects, the client reconnects, and keep-alives continue on the new link', async (t, sim) => {
  const [a, b] = await star(sim, ['b']);
  const first = a.peers.get(idOf('b'))!.remote;
  await sim.settle(b.transport.disconnect(b.transport.remotes()[0]!, 'a rest'));
  await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'), 5_000);
  const second = a.peers.get(idOf('b'))!.remote;
  t.not(second.id, first.id);
  await sim.run(300_000);
  t.is(a.peers.get(idOf('b'))!.remote, second, 'an idle link lives as long as its ends do');
  t.true(a.peers.get(idOf('b'))!.rtt! > 0, 'pings are answered');
  sim.cut('a', 'b');
  await sim.until(() => !isLinked(a, 'b') && !isLinked(b, 'a'), 16_000);
  t.is(eventsOf(a, 'down').at(-1)!.cause.reason, 'ping_timeout', 'and missed');
});

test('trySend() to a node that is not connected returns false, and nothing from before arrives later', async (t, sim) => {
  const [a, b] = await star(sim, ['b']);
  const hint = (text: string) => a.transport.trySend(`node:${idOf('b')}`, 'hint', text);
  t.true(hint('before'));
  await sim.run(1_000);
  sim.cut('a', 'b');
  for (let i = 0; i < 100; i++) t.true(hint(`into the void ${i}`), 'the loss is not noticed yet');
  await sim.until(() => !isLinked(a, 'b'), 16_000);
  for (let i = 0; i < 100; i++) t.false(hint(`too late ${i}`));
  // A stream's retransmissions may still reach b over the old connection until b's end is closed,
  // too.
  await sim.until(() => !isLinked(b, 'a'), 16_000);
  sim.heal();
  await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'), 30_000);
  t.true(hint('after'));
  await sim.run(30_000);
  t.deepEqual(b.hints, ['before', 'after']);
});

test('a name is resolved again at each dial, so a node that has moved is found', async (t, sim) => {
  let home = 'b';
  let asked = 0;
  const resolve = (target: string) => {
    if (target !== 'db.example') return target;
    asked++;
    return home;
  };
  const identity = { nodeId: idOf('b') };
  const [a] = await boot(sim, ['a', 'b', 'c'], {
    transport: { resolve },
    peers: (name) =>
      name === 'a' ? { persistent: ['db.example'], maxOutbound: 0 } : { ...passive, identity },
    durable: false,
  });
  await sim.until(() => isLinked(a, 'b'));
  t.is(asked, 1);
  const { instance } = a.peers.get(idOf('b'))!;
  home = 'c';
  sim.crash('b');
  await sim.until(() => isLinked(a, 'b') && a.peers.get(idOf('b'))!.instance !== instance, 20_000);
  t.is(a.peers.get(idOf('b'))!.remote.endpoint, 'c');
  t.is(asked, 2);
  sim.crash('c');
  await sim.run(60_000);
  const dials = eventsOf(a, 'rejected').length;
  // The current dial has not ended yet.
  t.true(asked - 2 - dials <= 1, `once per dial: resolved ${asked}, dialed ${dials}`);
  t.true(asked < 20, 'without a hot loop');
});

test('a name that does not resolve is tried again; each try is bounded', async (t, sim) => {
  let asked = 0;
  const resolve = (target: string) => {
    if (target !== 'db.example') return target;
    return ++asked <= 2 ? new Promise<string>(() => {}) : 'b';
  };
  const [a] = await boot(sim, ['a', 'b'], {
    transport: { resolve },
    peers: (name) => (name === 'a' ? { persistent: ['db.example'] } : passive),
  });
  await sim.until(() => isLinked(a, 'b'), 200_000);
  t.is(asked, 3);
  t.is(eventsOf(a, 'rejected').length, 2);
});
