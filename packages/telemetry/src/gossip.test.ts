// Tests of the metrics of peers and gossip.

import { createGossip, fullMesh } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { bytes, createTransport, defineProtocol, TransportError } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { createMetrics, type Metrics } from './index.ts';
import type { TopicState } from './source-types.ts';

const protocol = defineProtocol({ name: 'measured', channel: 0x20, methods: {} });

async function fixture(t: ExecutionContext, topics: boolean) {
  const backends = [inmem()];
  const node = async (name: string, seeds: string[]) => {
    const metrics = createMetrics({ topics });
    const { observer } = metrics;
    const transport = createTransport(`inmem://${name}`, { protocol, backends, observer });
    const peers = createPeers({ transport, seeds });
    const gossip = createGossip({ transport, peers, overlay: fullMesh() });
    metrics.watch({ transport, peers, gossip });
    await transport.listen();
    await gossip.start();
    await peers.start();
    const topic = gossip.topic('news', bytes);
    const close = async () => {
      await gossip.close();
      await peers.close();
      await transport.close();
    };
    return { metrics, gossip, topic, close };
  };
  const a = await node('a', []);
  const b = await node('b', ['inmem://a']);
  t.teardown(() => Promise.all([a.close(), b.close()]));
  while (a.gossip.snapshot().topics[0]!.interested < 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const reader = b.topic[Symbol.asyncIterator]();
  await a.topic.publish(new Uint8Array(5), { min: 1 });
  await reader.next();
  return { a: a.metrics, b: b.metrics };
}

function find(metrics: Metrics, name: string, labels: object): number | undefined {
  const { points } = metrics.collect().find((metric) => metric.name === name)!;
  const wanted = JSON.stringify(labels);
  const point = points.find(({ attributes }) => JSON.stringify(attributes) === wanted);
  return point?.buckets?.count ?? point?.value;
}

test('messages, hops, neighbors and peers are counted', async (t) => {
  const { a, b } = await fixture(t, false);
  t.is(find(a, 'trunkline.gossip.messages', { outcome: 'published' }), 1);
  t.is(find(b, 'trunkline.gossip.messages', { outcome: 'delivered' }), 1);
  t.is(find(b, 'trunkline.gossip.messages', { outcome: 'duplicate' }), 0);
  t.is(find(b, 'trunkline.gossip.hops', {}), 1);
  t.is(find(a, 'trunkline.gossip.delivery.duration', {}), 1);
  t.is(find(a, 'trunkline.gossip.neighbors', {}), 1);
  t.is(find(b, 'trunkline.gossip.topics', {}), 1);
  t.is(find(a, 'trunkline.peer.count', { kind: 'in' }), 1);
  t.is(find(b, 'trunkline.peer.count', { kind: 'out' }), 1);
});

test('topics are labels only if the node asks for it', async (t) => {
  const { a, b } = await fixture(t, true);
  t.is(find(a, 'trunkline.gossip.messages', { outcome: 'published', topic: 'news' }), 1);
  t.is(find(b, 'trunkline.gossip.neighbors', { topic: 'news' }), 1);
});

test('a message that could not be published is timed with its error', (t) => {
  const metrics = createMetrics();
  const record = { topic: 'news', bytes: 1, startedAt: 0, duration: 20 };
  const errors = [new TransportError('deadline_exceeded', 'too late'), new TypeError('a mistake')];
  for (const error of errors) metrics.observer.publishEnded!({ ...record, error });
  const count = (code: string) =>
    find(metrics, 'trunkline.gossip.delivery.duration', { 'error.type': code });
  t.deepEqual([count('deadline_exceeded'), count('unknown')], [1, 1]);
  t.is(find(metrics, 'trunkline.gossip.messages', { outcome: 'published' }), undefined);
});

test('a topic that is opened again continues the sums of its first life', (t) => {
  const metrics = createMetrics();
  const topic = { topic: 'news', key: 'k', life: 1, neighbors: [], duplicates: 5, dropped: {} };
  let topics: TopicState[] = [topic];
  metrics.watch({ gossip: { snapshot: () => ({ topics }) } });
  const duplicates = () => find(metrics, 'trunkline.gossip.messages', { outcome: 'duplicate' });
  t.is(duplicates(), 5);
  t.is(duplicates(), 5);
  topics = [];
  t.is(duplicates(), 5);
  topics = [{ ...topic, life: 2, duplicates: 1 }];
  t.is(duplicates(), 6);
});
