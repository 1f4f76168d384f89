// Tests the topics of a node, with and without onMessage.

import { AsyncLocalStorage } from 'node:async_hooks';
import { json } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import { createNode } from '../index.mesh.ts';
import { addressOf, closing, first, greeter as protocol, text } from './testing/fixture.ts';

/** Starts a node that publishes numbers, and returns it with the address to reach it at. */
async function publisher(t: ExecutionContext) {
  const address = addressOf(t, 'publisher');
  const topics = { counts: json(z.number()) };
  const node = await createNode({ address, protocol, gossip: { topics } });
  return { node: closing(t, node), peers: { seeds: [address] } };
}

test('onMessage gets each message with the peer that sent it', async (t) => {
  const { node, peers } = await publisher(t);
  const got: unknown[] = [];
  const reader = await createNode({
    protocol,
    peers,
    gossip: {
      topics: {
        counts: {
          codec: json(z.number()),
          onMessage: (count, { from }) => void got.push(count, from),
        },
      },
    },
  });
  closing(t, reader);
  await node.topics.counts.publish(7, { min: 1 });
  t.deepEqual(got, [7, node.nodeId]);
  t.deepEqual(reader.topics.counts.neighbors, [node.nodeId]);
});

test('onMessage starts in the context of its createNode, whatever its node has done before', async (t) => {
  const { node, peers } = await publisher(t);
  const store = new AsyncLocalStorage<string>();
  const got: unknown[] = [];
  const onMessage = (count: number) => void got.push(count, store.getStore());
  const gossip = { topics: { counts: { codec: json(z.number()), onMessage } } };
  const reader = await store.run('reader', () => createNode({ protocol, peers, gossip }));
  closing(t, reader);
  for (const count of [1, 2])
    await store.run('publisher', () => node.topics.counts.publish(count, { min: 1 }));
  t.deepEqual(got, [1, 'reader', 2, 'reader']);
});

test('messages that arrive before the loop wait for it', async (t) => {
  const { node, peers } = await publisher(t);
  const topics = { counts: json(z.number()) };
  const reader = closing(t, await createNode({ protocol, peers, gossip: { topics } }));
  for (const count of [1, 2, 3]) await node.topics.counts.publish(count, { min: 1 });
  const got: number[] = [];
  for await (const { message } of reader.topics.counts) {
    got.push(message);
    if (got.length === 3) break;
  }
  t.deepEqual(got, [1, 2, 3]);
});

test('the queue of a topic without onMessage is bounded', async (t) => {
  const { node, peers } = await publisher(t);
  const counts = { codec: json(z.number()), queue: { messages: 2 } };
  const gossip = { topics: { counts } };
  const reader = closing(t, await createNode({ protocol, peers, gossip }));
  const events = reader.gossip.events();
  for (const count of [1, 2, 3, 4, 5]) await node.topics.counts.publish(count, { min: 1 });
  for await (const event of events) if (event.type === 'lagged') break;
  const { message, meta } = await first(reader.topics.counts);
  t.true(message > 1);
  t.is(meta.missed, message - 1);
});

test('a second loop begins with the next message, and loops end with the node', async (t) => {
  const { node, peers } = await publisher(t);
  const topics = { counts: json(z.number()) };
  const reader = closing(t, await createNode({ protocol, peers, gossip: { topics } }));
  await node.topics.counts.publish(1, { min: 1 });
  t.is((await first(reader.topics.counts)).message, 1);
  const loop = reader.topics.counts[Symbol.asyncIterator]();
  await node.topics.counts.publish(2, { min: 1 });
  t.is((await loop.next()).value?.message, 2);
  const next = loop.next();
  await reader.close();
  t.true((await next).done);
  await t.throwsAsync(reader.topics.counts.publish(3), { code: 'shutdown' });
});

test('an error of onMessage is reported, and the next message follows', async (t) => {
  const { node, peers } = await publisher(t);
  const errors: unknown[] = [];
  const got: number[] = [];
  closing(
    t,
    await createNode({
      protocol,
      peers,
      gossip: {
        topics: {
          counts: {
            codec: json(z.number()),
            onMessage: (count) => {
              if (count === 1) throw new Error('not one');
              got.push(count);
            },
            onError: (error) => void errors.push((error as Error).message),
          },
        },
      },
    }),
  );
  for (const count of [1, 2]) await node.topics.counts.publish(count, { min: 1 });
  t.deepEqual({ errors, got }, { errors: ['not one'], got: [2] });
});

test('gossip joins further topics, and has the overlay partialView by default', async (t) => {
  const { node } = await publisher(t);
  node.gossip.topic('more', text);
  const overlays = node.gossip.snapshot().topics.map(({ topic, overlay }) => [topic, overlay]);
  t.deepEqual(overlays, [
    ['counts', 'partialView'],
    ['more', 'partialView'],
  ]);
});

test('the name of a topic is any text', async (t) => {
  const names = ['__proto__', 'the news of today', ''];
  const topics = Object.fromEntries(names.map((name) => [name, text]));
  const node = closing(t, await createNode({ protocol, gossip: { topics } }));
  t.deepEqual(Object.keys(node.topics), names);
  for (const name of names) t.is(node.topics[name]?.name, name);
});

test('a node may only publish on a topic', async (t) => {
  const { node, peers } = await publisher(t);
  const topics = { counts: { codec: json(z.number()), publishOnly: true } };
  const sensor = closing(t, await createNode({ protocol, peers, gossip: { topics } }));
  const reading = first(node.topics.counts);
  await sensor.topics.counts.publish(7, { min: 1 });
  t.is((await reading).message, 7);
  t.throws(() => sensor.topics.counts[Symbol.asyncIterator](), { instanceOf: TypeError });
});
