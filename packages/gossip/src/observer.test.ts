// Tests of the reports about gossip's messages to the observer of a transport.

import { createPeers } from '@trunkline/peers';
import { bytes, createTransport, defineProtocol, type Observer } from '@trunkline/transport-core';
import type { DeliveryRecord, PublishRecord } from '@trunkline/transport-core/backend';
import { inmem } from '@trunkline/transport-inmem';
import test from 'ava';
import { createGossip, fullMesh } from './index.ts';

const protocol = defineProtocol({ name: 'observed', version: 1, channel: 0x20, methods: {} });

test('published and delivered messages are reported to the observers of their nodes', async (t) => {
  const backends = [inmem()];
  const published: PublishRecord[] = [];
  const delivered: DeliveryRecord[] = [];
  const node = async (name: string, seeds: string[], observer: Observer) => {
    const transport = createTransport(`inmem://${name}`, { protocol, backends, observer });
    const peers = createPeers({ transport, seeds });
    const gossip = createGossip({ transport, peers, overlay: fullMesh() });
    await transport.listen();
    await gossip.start();
    await peers.start();
    const close = async () => {
      await gossip.close();
      await peers.close();
      await transport.close();
    };
    return { peers, topic: gossip.topic('news', bytes), close };
  };
  const a = await node('a', [], { publishEnded: (record) => void published.push(record) });
  const b = await node('b', ['inmem://a'], { delivered: (record) => void delivered.push(record) });
  const reader = b.topic[Symbol.asyncIterator]();
  await a.topic.publish(new Uint8Array(5), { min: 1 });
  const { value } = await reader.next();
  t.deepEqual(
    published.map(({ topic, bytes: size, error }) => ({ topic, size, error })),
    [{ topic: 'news', size: 5, error: undefined }],
  );
  t.is(delivered.length, 1);
  t.is(delivered[0]!.topic, 'news');
  t.is(delivered[0]!.id, value!.meta.id);
  t.is(delivered[0]!.from, a.peers.nodeId);
  t.is(delivered[0]!.hops, 1);
  await a.topic.close();
  await t.throwsAsync(a.topic.publish(new Uint8Array(1)), { code: 'shutdown' });
  await Promise.all([a.close(), b.close()]);
});
