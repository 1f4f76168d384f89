// Tests of the reports about gossip's messages to the observer of a transport.

import type { DeliveryRecord, PublishRecord } from '@trunkline/transport-core/backend';
import { cluster, listen, meet } from './testing/cluster.ts';
import test from './testing/serial.ts';

test('published and delivered messages are reported to the observers of their nodes', async (t) => {
  const published: PublishRecord[] = [];
  const delivered: DeliveryRecord[] = [];
  const { sim, nodes, node, subscriber } = await meet(t.context, ['a'], {
    transport: { observer: { publishEnded: (record) => void published.push(record) } },
  });
  cluster(sim, ['b'], {
    nodes,
    transport: { observer: { delivered: (record) => void delivered.push(record) } },
    peers: () => ({ persistent: ['a'] }),
  });
  await sim.until(() => nodes.has('b'), 20_000);
  const b = listen(node('b'));
  await sim.settle(subscriber('a').topic.publish('hello', { min: 1 }));
  const reported = published.map(({ topic, bytes, error }) => [topic, bytes, error]);
  t.deepEqual(reported, [['news', 7, undefined]]);
  const { id } = b.heard[0]!.meta;
  t.deepEqual(delivered, [{ topic: 'news', id, bytes: 7, from: node('a').nodeId, hops: 1 }]);
}, 1);
