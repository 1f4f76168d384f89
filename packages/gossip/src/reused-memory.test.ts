// Tests that a publisher may use the memory of a message again at once.

import { bytes } from '@trunkline/transport-core';
import { cluster, simulationOf } from './testing/cluster.ts';
import test from './testing/serial.ts';
import type { Topic } from './topic.ts';

test('a message is as it was when it was published', async (t) => {
  const sim = simulationOf(t.context);
  const topics = new Map<string, Topic<Uint8Array>>();
  const received: Uint8Array[] = [];
  cluster(sim, ['a', 'b'], {
    setup: ({ name, gossip }) => {
      const topic = gossip.topic('blobs', bytes);
      if (name === 'b') topic.subscribe((message) => void received.push(message));
      topics.set(name, topic);
    },
  });
  await sim.until(() => topics.size === 2, 20_000);
  const memory = new Uint8Array(1_000);
  const published = [1, 2, 3].map((value) => {
    const result = topics.get('a')!.publish(memory.fill(value), { min: 1 });
    memory.fill(99);
    return result;
  });
  await sim.settle(Promise.all(published));
  await sim.until(() => received.length === 3, 20_000);
  t.deepEqual(
    received.map((message) => [...new Set(message)]),
    [[1], [2], [3]],
  );
}, 1);
