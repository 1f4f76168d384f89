// Tests of the reports about gossip's messages to the observer of a transport.

import type { DeliveryRecord, PublishRecord } from '@trunkline/transport-core/backend';
import { idOf, meet } from './testing/cluster.ts';
import test from './testing/serial.ts';

test('published and delivered messages are reported to the observers of their nodes', async (t) => {
  const published: PublishRecord[] = [];
  const delivered: DeliveryRecord[] = [];
  const observer = {
    publishEnded: (record: PublishRecord) => void published.push(record),
    delivered: (record: DeliveryRecord) => void delivered.push(record),
  };
  const { sim, subscriber } = await meet(t.context, ['a', 'b'], { transport: { observer } });
  await sim.settle(subscriber('a').topic.publish('hello', { min: 1 }));
  t.deepEqual(
    published.map(({ topic, bytes, error }) => [topic, bytes, error]),
    [['news', 7, undefined]],
  );
  const { id } = subscriber('b').heard[0]!.meta;
  t.deepEqual(delivered, [{ topic: 'news', id, bytes: 7, from: idOf('a'), hops: 1 }]);
}, 1);
