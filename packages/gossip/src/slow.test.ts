// Tests that a slow, stuck or faulty node does not delay or harm other nodes.

import type { TransportError } from '@trunkline/transport-core';
import { areMet, dropsOf, eventsOf, idOf, meet, runs, type Subscriber } from './testing/cluster.ts';
import test from './testing/serial.ts';
import { pair } from './testing/topic-pair.ts';
import type { MessageMeta } from './types.ts';

/** A transport whose queues fill soon. */
const NARROW = { limits: { outbound: { messages: 20 }, inbound: { calls: 20 } } };
const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

test('a slow reader learns by its policy how many messages it missed, or that it is too slow; other readers miss none', async (t) => {
  const { sim, b, from, at } = await pair(t.context, { news: {} });
  const [{ topic, words, heard }] = at as [Subscriber];
  const releases: (() => void)[] = [];
  const logs = (['drop-oldest', 'drop-newest', 'block', 'error'] as const).map((policy) => {
    const log: unknown[] = [];
    const reader = (message: string, { missed }: MessageMeta) => {
      log.push(...(missed > 0 ? [missed, message] : [message]));
      return new Promise<void>((resolve) => releases.push(resolve));
    };
    const onError = (error: unknown) => log.push((error as TransportError).code);
    topic.subscribe(reader, { queue: { messages: 3, policy }, onError });
    return log;
  });
  for (const number of numbers(10)) void from[0]!.topic.publish(number);
  await sim.run(500);
  for (let i = 0; i < 12; i++) {
    for (const release of releases.splice(0)) release();
    await sim.run(10);
  }
  void from[0]!.topic.publish('after');
  await sim.run(500);
  const all = [...numbers(10), 'after'];
  t.deepEqual(logs, [
    ['0', 6, '7', '8', '9', 'after'],
    ['0', '1', '2', '3', 6, 'after'],
    all,
    ['0', 'resource_exhausted'],
  ]);
  t.deepEqual(words, all);
  t.true(heard.every(({ meta }) => meta.missed === 0));
  const lagged = eventsOf(b, 'lagged').map(({ missed }) => missed);
  t.deepEqual(lagged.sort(), [1, 1, 2, 2, 4, 4]);
});

test('a reader that throws is reported, and gets the next message', async (t) => {
  const { sim, b, from, at } = await pair(t.context, { news: {} });
  const heard: string[] = [];
  const errors: unknown[] = [];
  const reader = (message: string) => {
    heard.push(message);
    if (message === '1') throw new Error('sync');
    return message === '2' ? Promise.reject(new Error('async')) : undefined;
  };
  at[0]!.topic.subscribe(reader, { onError: (error) => errors.push((error as Error).message) });
  for (const number of numbers(4)) void from[0]!.topic.publish(number);
  await sim.run(500);
  t.deepEqual(heard, numbers(4));
  t.deepEqual(errors, ['sync', 'async']);
  t.is(eventsOf(b, 'failed').length, 2);
  t.deepEqual(at[0]!.words, numbers(4));
}, 1);

test(
  'publishing never waits for a peer that reads nothing: dropped messages are reported, and the others get all',
  async (t) => {
    const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c'], {
      gossip: () => ({ outbound: { messages: 50 } }),
      transport: NARROW,
    });
    sim.cut('a', 'b');
    let failures = 0;
    for (let i = 0; i < 200; i++) {
      const published = subscriber('a').topic.publish(String(i).padEnd(20_000));
      const { queued, failed = [] } = await sim.settle(published, 1);
      t.is(queued + failed.length, 2);
      for (const { nodeId, error } of failed)
        t.deepEqual([nodeId, error.code], [idOf('b'), 'resource_exhausted']);
      failures += failed.length;
      await sim.run(5);
    }
    await sim.run(500);
    t.is(subscriber('c').words.length, 200);
    t.true(failures > 50, `${failures}`);
    t.is(dropsOf(node('a')).filter((reason) => reason === 'no-room').length, failures);
  },
  runs(2, ['stream']),
);

test(
  'nodes that join and leave a topic are noticed even if many messages are lost',
  async (t) => {
    const { sim, subscribers, subscriber } = await meet(t.context, ['a', 'b', 'c', 'd'], {
      simulation: { link: { latency: [1, 20], loss: 0.3, duplicate: 0.1, reorder: 0.1 } },
      // The exchange is off, because a duplicated address list would count as unsolicited.
      peers: () => ({ exchange: { enabled: false } }),
    });
    const { topic, subscription } = subscriber('d');
    topic.close();
    subscription.close();
    subscribers.delete('d');
    for (let i = 0; i < 120 && !areMet(subscribers.values(), 2); i++) {
      for (const one of subscribers.values()) void one.topic.publish('x');
      await sim.run(500);
    }
    t.true(areMet(subscribers.values(), 2));
  },
  runs(4, ['message']),
);

test(
  'if a chosen member is lost, another gets the waiting message, up to the requested number',
  async (t) => {
    const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c'], { transport: NARROW });
    const { topic } = subscriber('a');
    sim.cut('a', 'b');
    for (let i = 0; i < 200; i++) {
      const published = topic.publish(String(i).padEnd(20_000), { any: 1 });
      t.deepEqual(await sim.settle(published, 1), { queued: 1 });
      await sim.run(5);
    }
    const { words } = subscriber('c');
    const { peers } = node('a').gossip.snapshot();
    const waiting = peers.find(({ nodeId }) => nodeId === idOf('b'))!.waiting.messages;
    t.true(waiting > 20 && words.length > 60 && words.length < 140, `${waiting}, ${words.length}`);
    const before = words.length;
    sim.crash('b');
    await sim.until(() => topic.neighbors.length === 1, 20_000);
    await sim.run(2_000);
    t.true(words.length - before >= waiting - 1, `${words.length - before} of ${waiting}`);
    t.is(new Set(words).size, words.length, 'each exactly once');
  },
  runs(2, ['stream']),
);
