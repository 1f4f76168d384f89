// Tests of networks of listed nodes: which nodes are admitted, disconnected and dialed.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import ava from 'ava';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { boot, connected, echo, hub, idOf, isLinked, targetOf } from './testing/cluster.ts';
import { credentials } from './testing/real/credentials.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

const listed: Partial<PeersOptions> = { membership: 'listed' };
const recipe: Partial<PeersOptions> = { maxOutbound: 0, exchange: { enabled: false } };

test('a node with membership by list accepts only listed peers, and tells both ends why it refuses others', async (t, sim) => {
  const names = ['b', 'c', 'friend'] as const;
  const own = { ...listed, persistent: [targetOf('b')], unconditional: [idOf('friend')] };
  const [a, , c] = await hub(sim, names, own);
  await sim.until(() => isLinked(a, 'b') && isLinked(a, 'friend'), 10_000);
  await sim.run(60_000);
  t.deepEqual(connected(a, names), ['b', 'friend']);
  t.true(rejections(a).includes('denied in') && rejections(c).includes('denied out'));
  for (const node of [a, c]) {
    const refused = eventsOf(node, 'rejected').find(({ reason }) => reason === 'denied');
    t.regex(refused!.error.message, /not listed.*membership 'listed'/);
  }
  t.false(eventsOf(a, 'up').some(({ peer }) => peer.nodeId === idOf('c')));
});

for (const membership of ['open', 'listed'] as const)
  test(`a removed node may dial in again by default, and with membership by list once it is listed again: ${membership}`, async (t, sim) => {
    const names = ['a', 'b', 'c'] as const;
    const [a] = await boot(sim, names, {
      peers: (name) => ({
        ...(name === 'a' && membership === 'listed' ? listed : recipe),
        persistent: names.filter((other) => other !== name).map(targetOf),
      }),
      durable: false,
    });
    await sim.until(() => isLinked(a, 'b') && isLinked(a, 'c'), 10_000);
    t.deepEqual(a.peers.remove(idOf('c')), [targetOf('c')]);
    await sim.until(() => !isLinked(a, 'c'), 10_000);
    t.deepEqual([a.peers.mayDial(idOf('c')), a.peers.mayDial(idOf('b'))], [false, true]);
    await sim.run(60_000);
    t.is(isLinked(a, 'c'), membership === 'open');
    a.peers.setTopology([targetOf('b'), targetOf('c')]);
    await sim.until(() => isLinked(a, 'c'), 10_000);
    t.true(isLinked(a, 'b'));
  });

test('nodes that list each other by address alone connect, and disconnect when one is removed', async (t, sim) => {
  const names = ['a', 'b', 'c'] as const;
  const [a, b, c] = await boot(sim, names, {
    peers: (name) => ({
      ...listed,
      persistent: names.filter((other) => other !== name),
      reconnect: { initialBackoff: 200, maxBackoff: 200 },
    }),
    durable: false,
  });
  await sim.until(() => [a, b, c].every(({ peers }) => peers.list().length === 2), 10_000);
  a.peers.remove('c');
  await sim.until(() => !isLinked(a, 'c'), 10_000);
  await sim.run(30_000);
  t.deepEqual(connected(a, names), ['b']);
});

test('a node with membership by list neither requests addresses nor dials known ones; calls to any address still work', async (t, sim) => {
  const names = ['a', 'b', 'c'] as const;
  const [a, b] = await boot(sim, names, {
    peers: (name) => ({
      maxOutbound: 0,
      ...(name === 'a' ? { ...listed, persistent: [targetOf('b')] } : {}),
      ...(name === 'b' ? { persistent: ['c'] } : {}),
    }),
  });
  await sim.until(() => isLinked(a, 'b') && isLinked(b, 'c'), 10_000);
  a.peers.learn(idOf('c'), 'c', idOf('b'));
  await sim.run(120_000);
  t.deepEqual(connected(a, names), ['b']);
  t.is(await sim.settle(a.transport.send('c', 'say', 'hello')), 'c: hello');
  t.deepEqual(connected(a, names), ['b'], 'that link belongs to a client');
});

ava('an option that contradicts membership by list throws a TypeError that names it', async (t) => {
  const { tls } = await credentials();
  const make = (options: Partial<PeersOptions>, proves = false) => {
    const transport = createTransport({ protocol: echo, backends: [tcp(proves ? { tls } : {})] });
    t.teardown(() => transport.close());
    return () => createPeers({ transport, ...listed, ...options });
  };
  const good = `${idOf('b')}@b:1`;
  const peers = make({ persistent: [good] }, true)();
  for (const [act, message] of [
    [make({ seeds: ['a:1'] }), /seeds.*omit seeds/],
    [make({ exchange: { seed: true } }), /exchange\.seed/],
    [make({ membership: 'closed' as never }), /membership.*'open' or 'listed'/],
    [make({ persistent: [good, 'c:1'] }, true), /persistent\[1\]: 'c:1' has no node id/],
    [() => peers.add('c:1'), /peers\.add.*'c:1' has no node id/],
    [() => peers.setTopology([good, 'c:1']), /setTopology\[1\]: 'c:1' has no node id/],
  ] as const)
    t.throws(act, { instanceOf: TypeError, message });
  await peers.close();
});

test('mayDial() is false for a banned node and for this node itself', async (t, sim) => {
  const [{ peers }] = await boot(sim, ['a'], { durable: false });
  t.true(peers.mayDial(idOf('b')));
  t.false(peers.mayDial(idOf('a')));
  peers.add(targetOf('b'));
  peers.ban(idOf('b'), 60_000);
  t.false(peers.mayDial(idOf('b')), 'even if it is persistent');
  await sim.run(60_000);
  t.true(peers.mayDial(idOf('b')));
  peers.ban(idOf('b'));
  peers.unban(idOf('b'));
  t.true(peers.mayDial(idOf('b')));
});

test('all nodes may have one list of persistent peers: none dials itself', async (t, sim) => {
  const names = ['a', 'b', 'c'] as const;
  const dialed: string[] = [];
  const nodes = await boot(sim, names, {
    transport: (name) => ({
      resolve: (target) => {
        if (target.endsWith(name)) dialed.push(target);
        return target;
      },
    }),
    peers: { ...recipe, persistent: names.map(targetOf) },
    durable: false,
  });
  await sim.until(() => nodes.every(({ peers }) => peers.list().length === 2));
  const [{ peers }] = nodes;
  peers.remove(targetOf('a'));
  peers.add(targetOf('a'));
  await sim.run(600_000);
  t.deepEqual(peers.topology, ['b', 'c', 'a'].map(targetOf));
  t.deepEqual([dialed, ...nodes.map(rejections)], [[], [], [], []]);
});
