// Tests of several connections between the same two nodes: both ends use the same one.

import { peersProtocol } from './protocol.ts';
import type { TestNode } from './testing/cluster.ts';
import {
  boot,
  cluster,
  connected,
  echo,
  idOf,
  isLinked,
  passive,
  star,
} from './testing/cluster.ts';
import { pose } from './testing/raw-peer.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

/** Returns the types of a node's events about peers that came up or went down. */
const ups = ({ events }: TestNode) =>
  events.flatMap(({ type }) => (type === 'up' || type === 'down' ? [type] : []));
const [low, high] = idOf('a') < idOf('b') ? (['a', 'b'] as const) : (['b', 'a'] as const);

test(
  'two nodes that dial each other at once keep the same connection, that of the lower id, and lose no call',
  async (t, sim) => {
    const nodes = await boot(sim, [low, high], {
      peers: (name) => ({ persistent: [name === 'a' ? 'b' : 'a'] }),
    });
    await sim.until(() => nodes.every(({ peers }) => peers.list().length === 1));
    const [lower, higher] = nodes as readonly [TestNode, TestNode];
    const calls = Array.from({ length: 20 }, (_, i) => {
      const [from, to] = i % 2 === 0 ? [lower, high] : [higher, low];
      return from.transport.send(`node:${idOf(to)}`, 'say', `${i}`);
    });
    const answers = await sim.settle(Promise.all(calls));
    for (const [i, answer] of answers.entries()) t.is(answer, `${i % 2 === 0 ? high : low}: ${i}`);
    await sim.run(10_000);
    const directions = nodes.map(({ transport }) =>
      transport.remotes().map(({ direction }) => direction),
    );
    t.deepEqual(directions, [['out'], ['in']]);
    t.deepEqual(nodes.map(ups), [['up'], ['up']]);
  },
  { count: 20, levels: ['message', 'stream'], link: { latency: 10 } },
);

test('a call on the duplicate link is answered before that link closes', async (t, sim) => {
  const nodes = await boot(sim, [low, high]);
  const [lower, higher] = nodes as readonly [TestNode, TestNode];
  higher.peers.add(low);
  await sim.until(() => nodes.every(({ peers }) => peers.list().length === 1));
  sim.hold(low, high, { direction: 'one-way' });
  const answer = higher.transport.send(higher.transport.remotes()[0]!, 'say', 'slow');
  await sim.run(50);
  sim.release(low, high, { direction: 'one-way' });
  lower.peers.add(high);
  t.is(await sim.settle(answer), `${low}: slow`);
});

test('several connections of one pool are not duplicates', async (t, sim) => {
  const [a, b] = await star(sim, ['b']);
  const second = await sim.settle(b.transport.dial('a'));
  const third = await sim.settle(a.transport.dial('b'));
  await sim.run(20_000);
  t.deepEqual([second.closed, third.closed], [false, false]);
  t.deepEqual([b.peers.list().length, a.peers.list().length], [1, 1]);
});

test('a node that dials itself notices, keeps no link and never tries again; it may still call itself', async (t, sim) => {
  const [a] = await star(sim, ['b'], { persistent: ['a', 'b'], seeds: ['a'] });
  await sim.run(600_000);
  t.deepEqual(rejections(a), [], 'an address that it listens on is not even dialed');
  t.deepEqual(connected(a, ['a', 'b']), ['b']);
  t.is(await sim.settle(a.transport.send('a', 'say', 'me')), 'a: me');
  t.deepEqual(connected(a, ['a', 'b']), ['b'], 'and it is not its own peer');
});

test('a node that reaches itself by an unknown name gets one event about it, at both ends, and dials the name again once it is added again', async (t, sim) => {
  let front = 'a';
  const [a] = await boot(sim, ['a', 'b'], {
    transport: { resolve: (target: string) => (target === 'front' ? front : target) },
    peers: (name) => (name === 'a' ? { persistent: ['front'] } : passive),
  });
  await sim.run(600_000);
  t.deepEqual(rejections(a).sort(), ['self in', 'self out']);
  const events = eventsOf(a, 'rejected');
  t.deepEqual([events.length, events[0]!.error.reason], [2, 'self']);
  t.is(a.transport.remotes().length, 0);
  // It is dialed again once it is added again.
  front = 'b';
  await sim.run(60_000);
  t.deepEqual(connected(a, ['b']), []);
  a.peers.add('front');
  await sim.until(() => isLinked(a, 'b'), 60_000);
});

test('an asserted id belongs to the first node that uses it: another is refused until the first is gone', async (t, sim) => {
  const [a, , c] = await boot(sim, ['a', 'b', 'c'], {
    peers: (name) =>
      name === 'a'
        ? {}
        : { identity: { nodeId: idOf('b') }, ...(name === 'b' ? { persistent: ['a'] } : {}) },
    durable: false,
  });
  const instance = () => a.peers.get(idOf('b'))?.instance;
  await sim.until(() => isLinked(a, 'b'));
  const first = instance();
  c.peers.add('a');
  await sim.run(10_000);
  const [rejected] = eventsOf(c, 'rejected');
  t.deepEqual([rejected!.reason, rejected!.error.code], ['duplicate', 'already_exists']);
  t.is(instance(), first);
  t.true(rejections(a).includes('duplicate in'));
  sim.crash('b');
  await sim.until(() => instance() !== undefined && instance() !== first, 200_000);
  t.deepEqual(ups(a), ['up', 'down', 'up']);
});

for (const direction of ['in', 'out'] as const)
  test(`an asserted id belongs to the first node that becomes a peer, not to one whose connection comes up later: ${direction}`, async (t, sim) => {
    let first: unknown;
    let accept = () => {};
    const held = new Promise<void>((resolve) => (accept = resolve));
    const nodeId = (_: string, remote: unknown) =>
      (first ??= remote) === remote ? held : undefined;
    const [a, b] = await boot(sim, ['a', 'b'], {
      peers: (name) => (name === 'a' ? { filters: { nodeId } } : {}),
    });
    const late = sim.client(echo, { name: 'late' });
    pose(late, idOf('b'));
    late.mount(peersProtocol);
    await sim.settle(late.listen());
    if (direction === 'out') a.peers.add('late');
    else void late.dial('a').catch(() => {});
    await sim.run(1_000);
    b.peers.add('a');
    await sim.until(() => isLinked(a, 'b'));
    accept();
    await sim.run(1_000);
    t.deepEqual([ups(a), rejections(a)], [['up'], [`duplicate ${direction}`]]);
    t.deepEqual([late.remotes(), isLinked(b, 'a')], [[], true]);
  });

test(
  'a restart is reported as down, then up, never as two peers at once',
  async (t, sim) => {
    const names = ['a', 'b', 'c'];
    const nodes = cluster(sim, names, {
      peers: (name) => ({ persistent: names.filter((other) => other !== name) }),
    });
    const isComplete = () =>
      nodes.size === 3 && [...nodes.values()].every((node) => node.peers.list().length === 2);
    await sim.until(isComplete);
    for (let round = 0; round < 3; round++) {
      sim.crash('b', { power: round === 1 ? 'lost' : 'kept' });
      await sim.run(500 + 700 * round);
      sim.restart('b');
      await sim.run(30_000);
    }
    await sim.until(isComplete);
    for (const name of ['a', 'c']) {
      const seen = nodes.get(name)!.events.flatMap((event) => {
        if (event.type === 'up' && event.peer.nodeId === idOf('b')) return ['up'];
        return event.type === 'down' && event.nodeId === idOf('b') ? ['down'] : [];
      });
      t.true(seen.length % 2 === 1 && seen.every((type, i) => type === (i % 2 ? 'down' : 'up')));
    }
  },
  { count: 20 },
);

test(
  'a stop that races with that of the other end is one down event, and the peer leaves every list',
  async (t, sim, run) => {
    const nodes = await star(sim, ['b'], { maxOutbound: 0 });
    const [a, b] = nodes;
    a.peers.remove('b');
    void b.transport.disconnect(b.transport.remotes()[0]!);
    if (run.seed % 2 === 0) sim.reset('a', 'b');
    await sim.run(60_000);
    for (const node of nodes) {
      t.is(eventsOf(node, 'down').length, 1);
      const { inbound, outbound } = node.peers.snapshot();
      t.deepEqual([node.peers.list(), node.transport.remotes()], [[], []]);
      t.deepEqual([inbound, outbound], [0, 0]);
    }
  },
  { count: 20 },
);
