// Tests of several readers of one topic, in services that don't know of each other.

import { bytes, json } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import { partialView } from './overlay/partial-view.ts';
import { cluster, eventsOf, listen, simulationOf } from './testing/cluster.ts';
import test from './testing/serial.ts';
import { openPair } from './testing/topic-pair.ts';
import type { Topic } from './topic.ts';
import type { MessageMeta } from './types.ts';

test('each service gets messages decoded by its own codec; one that a codec refuses still reaches the others, and cannot be published', async (t) => {
  const { sim, nodes, a, b } = await openPair(t.context, ({ gossip }) => {
    const wide = gossip.topic('news', json(z.object({ height: z.number() })));
    const height = z.number().check(z.minimum(10));
    const unit = z._default(z.string(), 'm');
    const strict = gossip.topic('news', json(z.object({ height, unit })));
    const heard: unknown[][] = [[], []];
    wide.subscribe((message) => void heard[0]!.push(message));
    strict.subscribe((message) => void heard[1]!.push(message));
    return { wide, strict, heard, blobs: gossip.topic('blobs', bytes) };
  });
  await sim.settle(a.wide.publish({ height: 1 }));
  await sim.settle(a.wide.publish({ height: 20 }));
  const code = 'invalid_argument';
  await t.throwsAsync(sim.settle(a.strict.publish({ height: 2 })), { code });
  await t.throwsAsync(sim.settle(a.blobs.publish('text' as never)), { code });
  await sim.run(500);
  t.deepEqual(b.heard, [[{ height: 1 }, { height: 20 }], [{ height: 20, unit: 'm' }]]);
  t.is(eventsOf(nodes.get('b')!, 'failed').length, 1);
  t.deepEqual(eventsOf(nodes.get('b')!, 'misbehaved'), []);
}, 1);

test('changes that a reader makes to a message are not visible to other readers, for objects and bytes', async (t) => {
  const { sim, a, b } = await openPair(t.context, ({ gossip }) => {
    const heard: unknown[] = [];
    const spoil = (message: { tags: string[] } | Uint8Array, meta: MessageMeta) => {
      heard.push(structuredClone([message, meta.origin]));
      if (message instanceof Uint8Array) message.fill(0);
      else message.tags.push('spoiled');
      (meta as { origin: string }).origin = 'spoiled';
    };
    const objects = gossip.topic('news', json(z.object({ tags: z.array(z.string()) })));
    const blobs = gossip.topic('blobs', bytes);
    for (let i = 0; i < 3; i++) {
      objects.subscribe(spoil);
      blobs.subscribe(spoil);
    }
    return { objects, blobs, heard, self: gossip.nodeId };
  });
  const object = { tags: ['ü\u0000\u{1f30d}', ''] };
  const blob = Uint8Array.from({ length: 256 }, (_, i) => i);
  await sim.settle(a.objects.publish(object));
  await sim.run(500);
  await sim.settle(a.blobs.publish(blob));
  await sim.run(500);
  const expected = [object, blob].flatMap((message) => Array(3).fill([message, a.self]));
  t.deepEqual(b.heard, expected);
}, 1);

test('a message is as it was when it was published, even if its publisher uses its memory again at once', async (t) => {
  const { sim, a, b } = await openPair(t.context, ({ gossip }) => {
    const heard: number[][] = [];
    const topic = gossip.topic('blobs', bytes);
    topic.subscribe((message) => void heard.push([...new Set(message)]));
    return { topic, heard };
  });
  const memory = new Uint8Array(1_000);
  const published = [1, 2, 3].map((value) => {
    const result = a.topic.publish(memory.fill(value), { min: 1 });
    memory.fill(99);
    return result;
  });
  await sim.settle(Promise.all(published));
  t.deepEqual(b.heard, [[1], [2], [3]]);
}, 1);

test('changes that a reader makes to bytes are not forwarded', async (t) => {
  const sim = simulationOf(t.context);
  const topics = new Map<string, Topic<Uint8Array, Uint8Array>>();
  const heard: { message: number[]; from: string }[] = [];
  const nodes = cluster(sim, ['a', 'b', 'c'], {
    start: false,
    gossip: () => ({ overlay: partialView(), discovery: false }),
    setup: ({ name, gossip }) => {
      const topic = gossip.topic('blobs', bytes);
      topics.set(name, topic);
      topic.subscribe((message, { from }) => {
        if (name === 'c') heard.push({ message: [...message], from });
        message.fill(0);
      });
    },
  });
  await sim.until(() => nodes.size === 3, 20_000);
  await sim.settle(nodes.get('a')!.gossip.start());
  await sim.settle(nodes.get('b')!.gossip.start());
  await sim.until(() => topics.get('a')!.neighbors.length === 1, 20_000);
  await sim.settle(topics.get('a')!.publish(Uint8Array.of(1, 2, 3)));
  await sim.run(1_000);
  // A newcomer gets the message from the only node that is left.
  sim.crash('a');
  await sim.settle(nodes.get('c')!.gossip.start());
  await sim.until(() => heard.length === 1, 20_000);
  t.deepEqual(heard, [{ message: [1, 2, 3], from: nodes.get('b')!.nodeId }]);
});

test('a reader may close another while both receive a message', async (t) => {
  const { sim, a, b } = await openPair(t.context, (node) => listen(node));
  const words: string[] = [];
  const second = b.topic.subscribe((message: string) => void words.push(message));
  b.topic.subscribe(() => second.close());
  await sim.settle(a.topic.publish('one'));
  await sim.settle(a.topic.publish('two'));
  await sim.run(500);
  t.deepEqual([b.words, words], [['one', 'two'], ['one']]);
}, 1);
