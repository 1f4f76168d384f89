// Tests of the filters of a user, which refuse peers and requests.

import { defineProtocol, json } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import type { PeerMessageSource } from './options.ts';
import { boot, cluster, hub, idOf, isLinked, passive } from './testing/cluster.ts';
import { rawPeer } from './testing/raw-peer.ts';
import { eventsOf, rejections, test } from './testing/runs.ts';

const never = () => new Promise<never>(() => {});

for (const kind of ['nodeId, in', 'nodeId, out', 'address, in', 'address, out'])
  test(`a filter by id or by address refuses a peer, whoever dialed, and both ends get an event: ${kind}`, async (t, sim) => {
    const [which, side] = kind.split(', ') as ['nodeId' | 'address', 'in' | 'out'];
    const asked: string[] = [];
    const filter = (what: string) => {
      asked.push(what);
      throw new Error('not today');
    };
    const [dialer, target] = side === 'in' ? ['b', 'a'] : ['a', 'b'];
    const nodes = await boot(sim, ['a', 'b'], {
      peers: (name) => ({
        ...passive,
        persistent: name === dialer ? [target] : [],
        ...(name === 'a' ? { filters: { [which]: filter } } : {}),
      }),
    });
    await sim.run(500);
    t.is(asked.length, 1);
    if (which === 'nodeId') t.is(asked[0], idOf('b'));
    else t.regex(asked[0]!, side === 'out' ? /^b$/ : /^b:/, 'the endpoint that it comes from');
    for (const node of nodes) {
      const told = eventsOf(node, 'rejected');
      t.deepEqual([node.peers.list(), node.transport.remotes()], [[], []]);
      t.deepEqual(eventsOf(node, 'up'), [], 'it was never up');
      // A dialer that refuses is not yet a peer of the other end, which only sees a hello that
      // failed.
      if (node.name === 'b' && side === 'out' && told.length === 0) continue;
      t.is(told.length, 1);
      t.deepEqual(rejections(node), [`filtered ${node.name === dialer ? 'out' : 'in'}`]);
      t.is(told[0]!.error.code, 'permission_denied');
      t.regex(told[0]!.error.message, /not today/);
    }
  });

test('a filter that hangs refuses its peer after the filter timeout, and does not delay other peers', async (t, sim) => {
  const filters = {
    timeout: 2_000,
    nodeId: (nodeId: string) => (nodeId === idOf('b') ? never() : Promise.resolve()),
  };
  const [a, b] = await hub(sim, ['b', 'c'], { filters });
  await sim.until(() => isLinked(a, 'c'), 1_500);
  t.is(eventsOf(a, 'rejected').length, 0);
  await sim.until(() => eventsOf(a, 'rejected').length === 1, 2_500);
  const [told] = eventsOf(a, 'rejected');
  t.deepEqual([told!.reason, told!.nodeId, told!.error.reason], ['filtered', idOf('b'), 'refused']);
  t.true(sim.now >= 2_000 && sim.now < 2_200);
  await sim.until(() => rejections(b).join() === 'filtered out');
});

test('by default, a filter that hangs refuses before the dialer times out', async (t, sim) => {
  const [a, b] = await hub(sim, ['b'], { filters: { address: never } });
  await sim.until(() => rejections(a).length > 0 && rejections(b).length > 0, 6_000);
  t.deepEqual([rejections(a), rejections(b)], [['filtered in'], ['filtered out']]);
});

test('a filter that accepts after the link is gone admits nobody', async (t, sim) => {
  const open: (() => void)[] = [];
  const nodeId = () => new Promise<void>((resolve) => open.push(resolve));
  const [a] = await hub(sim, ['b'], { filters: { nodeId, timeout: 4_000 }, maxInbound: 1 });
  await sim.until(() => open.length === 1, 1_000);
  sim.crash('b');
  await sim.run(1_000);
  open[0]!();
  await sim.run(1_000);
  t.deepEqual(a.peers.list(), []);
  sim.restart('b');
  await sim.until(() => open.length === 2, 10_000);
  open[1]!();
  await sim.until(() => isLinked(a, 'b'), 5_000);
});

test('a message filter sees the bytes of each request before it is decoded; if it refuses, the request is dropped and the link ends', async (t, sim) => {
  const seen: { text: string; from: PeerMessageSource }[] = [];
  const message = (bytes: Uint8Array, from: PeerMessageSource) => {
    const text = new TextDecoder().decode(bytes);
    seen.push({ text, from });
    if (text.includes('poison')) throw new Error('no poison here');
  };
  const [a, b] = await hub(sim, ['b'], { filters: { message } });
  const [toA, toB] = [`node:${idOf('a')}`, `node:${idOf('b')}`];
  await sim.until(() => isLinked(a, 'b') && isLinked(b, 'a'));
  t.is(await sim.settle(b.transport.send(toA, 'say', 'food')), 'a: food');
  const answer = await sim.settle(a.transport.send(toB, 'say', 'poison'));
  t.is(answer, 'b: poison', 'answers are not filtered');
  t.is(seen.length, 1, 'only messages of others');
  t.like(seen[0], { text: '"food"', from: { nodeId: idOf('b'), protocol: 'echo', method: 'say' } });
  t.is(seen[0]!.from.remote, a.peers.get(idOf('b'))!.remote);
  const before = a.peers.get(idOf('b'))!.score;
  t.true(b.transport.trySend(toA, 'hint', 'poison') && b.transport.trySend(toA, 'hint', 'after'));
  await sim.until(() => [a, b].every((node) => eventsOf(node, 'down').length === 1), 1_000);
  for (const node of [a, b]) {
    const { cause } = eventsOf(node, 'down')[0]!;
    t.deepEqual([cause.code, cause.reason], ['permission_denied', 'refused']);
    t.regex(cause.message, /no poison here/);
  }
  await sim.until(() => isLinked(a, 'b'), 20_000);
  t.true(a.peers.get(idOf('b'))!.score < before, 'and the refusal is recorded');
  await sim.run(5_000);
  t.false(a.hints.includes('poison'));
});

test('a message filter runs before bytes that no codec can decode are decoded, and not for nodes that are not peers', async (t, sim) => {
  const seen: Uint8Array[] = [];
  const filters = { message: (bytes: Uint8Array) => void seen.push(bytes) };
  const nodes = cluster(sim, ['a'], { peers: { ...passive, filters } });
  const loose = defineProtocol({
    name: 'echo',
    version: 1,
    channel: 0x20,
    methods: { say: { id: 1, request: json(z.any()), response: json(z.any()) } },
  });
  await sim.until(() => nodes.size === 1);
  await sim.settle(rawPeer(sim, 'peer').transport.send('a', 'say', 'fine'));
  t.is(seen.length, 1);
  const call = sim.client(loose).send('a', 'say', { no: 'string' });
  await t.throwsAsync(sim.settle(call), { code: 'invalid_argument' });
  t.is(seen.length, 1, 'a client is not a peer');
});
