// Gossip over real TCP on loopback.

import { createPeers, type Peers } from '@trunkline/peers';
import { bytes, type Transport } from '@trunkline/transport-core';
import { createTcpTransport } from '@trunkline/transport-tcp';
import test, { type ExecutionContext } from 'ava';
import { createGossip, type Gossip } from './gossip.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import type { OverlayFactory } from './overlay/overlay.ts';
import { partialView } from './overlay/partial-view.ts';
import { idle, idOf, words } from './testing/cluster.ts';

interface RealNode {
  readonly transport: Transport<typeof idle>;
  readonly peers: Peers;
  readonly gossip: Gossip;
  close(): Promise<void>;
}

async function node(t: ExecutionContext, name: string, overlay: OverlayFactory, to: readonly RealNode[], bindAddr = '127.0.0.1:0'): Promise<RealNode> {
  const transport = createTcpTransport({ protocol: idle, bindAddr });
  await transport.listen();
  const persistent = to.map((other) => other.transport.localAddr());
  const peers = createPeers({ transport, identity: { nodeId: idOf(name) }, maxOutbound: 0, persistent, reconnect: { interval: 50 } });
  const gossip = createGossip({ transport, peers, overlay });
  await gossip.start();
  await peers.start();
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= (async () => {
      await gossip.close();
      await peers.close();
      await transport.close();
    })());
  t.teardown(() => close());
  return { transport, peers, gossip, close };
}

const overlays = [fullMesh(), partialView()];

for (const overlay of overlays) {
  test(`three nodes hear each other, small and large, in order where it is kept: ${overlay.name}`, async (t) => {
    t.timeout(60_000);
    const a = await node(t, 'a', overlay, []);
    const b = await node(t, 'b', overlay, [a]);
    const c = await node(t, 'c', overlay, [a, b]);
    const topics = [a, b, c].map(({ gossip }) => gossip.topic('blobs', bytes, { limit: 8 * 1024 * 1024, queue: { size: 10_000 } }));
    const loops = topics.slice(1).map((topic) => topic.messages());
    await topics[0]!.publish(Uint8Array.of(1), { min: 2, timeout: 30_000 });
    for (const loop of loops) t.deepEqual((await loop.next()).value!.message, Uint8Array.of(1));
    for (let i = 0; i < 500; i++) t.is((await topics[0]!.publish(new Uint8Array(256).fill(i))).handed, 2);
    for (const loop of loops) {
      const seen: number[] = [];
      for (let i = 0; i < 500; i++) seen.push((await loop.next()).value!.message[0]!);
      if (overlay.name === 'partialView') seen.sort((x, y) => x - y);
      const expected = Array.from({ length: 500 }, (_, i) => i % 256);
      if (overlay.name === 'partialView') expected.sort((x, y) => x - y);
      t.deepEqual(seen, expected);
    }
    for (let i = 0; i < 5; i++) void topics[0]!.publish(new Uint8Array(3_000_000).fill(i));
    for (const loop of loops) {
      const seen: number[] = [];
      for (let i = 0; i < 5; i++) {
        const { message } = (await loop.next()).value!;
        t.is(message.length, 3_000_000);
        seen.push(message[7]!);
      }
      t.deepEqual(seen.sort(), [0, 1, 2, 3, 4]);
    }
  });

  test(`a node that is closed and comes back with its id is heard again: ${overlay.name}`, async (t) => {
    t.timeout(60_000);
    const a = await node(t, 'a', overlay, []);
    const b = await node(t, 'b', overlay, [a]);
    const one = a.gossip.topic('x', words);
    const loop = b.gossip.topic('x', words).messages();
    await one.publish('first', { min: 1, timeout: 30_000 });
    t.is((await loop.next()).value!.message, 'first');
    const address = a.transport.localAddr();
    await a.close();
    const again = await node(t, 'a', overlay, [], address);
    await again.gossip.topic('x', words).publish('second', { min: 1, timeout: 30_000 });
    const { message, meta } = (await loop.next()).value!;
    t.deepEqual([message, meta.origin], ['second', idOf('a')]);
  });
}

test('what gossip, peers and transport held is given back', async (t) => {
  t.timeout(60_000);
  const a = await node(t, 'a', fullMesh(), []);
  const b = await node(t, 'b', fullMesh(), [a]);
  const heard: string[] = [];
  b.gossip.topic('x', words).subscribe((message) => heard.push(message));
  await a.gossip.topic('x', words).publish('x', { min: 1, timeout: 30_000 });
  await a.close();
  // In the wrong order.
  await b.transport.close();
  await b.close();
  t.deepEqual([a.transport.remotes(), b.transport.remotes()], [[], []]);
  t.true(heard.length <= 1);
  t.deepEqual([a.gossip.snapshot().topics, a.gossip.snapshot().peers], [[], []]);
});
