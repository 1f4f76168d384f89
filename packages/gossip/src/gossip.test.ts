// Tests of topics over a full mesh in simulation that depend on time, chance or names. Tests that
// also run over TLS are in testing/suite.

import { bytes } from '@trunkline/transport-core';
import { listen, meet, type TestNode, words } from './testing/cluster.ts';
import test from './testing/serial.ts';
import { openPair } from './testing/topic-pair.ts';

const NAMES = ['a', 'b', 'c', 'd'];

test('String(gossip) lists the topics', async (t) => {
  const { sim, node, subscriber } = await meet(t.context, NAMES);
  void subscriber('a').topic.publish('hello');
  await sim.run(200);
  t.regex(String(node('b').gossip), /: 1 topics, 3 peers\n.*\nnews +fullMesh +3 +3 +1 +0 +1 +0/u);
}, 1);

test('any: n sends to n members of the topic, chosen at random', async (t) => {
  const { sim, subscriber } = await meet(t.context, NAMES);
  const publish = (any: number, min = 0) =>
    sim.settle(subscriber('a').topic.publish('x', { any, min }));
  for (let i = 0; i < 60; i++) t.deepEqual(await publish(1), { queued: 1 });
  await sim.run(500);
  const heard = ['b', 'c', 'd'].map((name) => subscriber(name).words.length);
  const [b, c, d] = heard as [number, number, number];
  t.is(b + c + d, 60);
  t.true(Math.min(...heard) > 5, `${heard}`);
  t.deepEqual(await publish(2), { queued: 2 });
  t.deepEqual(await publish(9), { queued: 3 });
  await t.throwsAsync(publish(4, 4), { code: 'unavailable' });
});

test('opening a topic again returns the same; another codec, limit or validator throws a TypeError', async (t) => {
  const { node } = await meet(t.context, ['a'], { topic: () => undefined });
  const { gossip } = node('a');
  gossip.topic('x', words, { limit: 100 });
  gossip.topic('x', words);
  t.is(gossip.snapshot().topics[0]!.handles, 2);
  for (const [topic, codec, options, message] of [
    ['x', bytes, {}, /codec: topic x is open with 'json', got 'bytes'/],
    ['x', words, { limit: 101 }, /limit/],
    ['x', words, { validate: () => 'accept' }, /validate/],
    [new Uint8Array(31), words, {}, /32 bytes/],
    ['\ud800', words, {}, /surrogate/],
    ['y', words, { queue: { policy: 'wait' } }, /queue.policy/],
    ['y', undefined, {}, /codec/],
  ] as const)
    t.throws(() => gossip.topic(topic, codec as never, options as never), {
      instanceOf: TypeError,
      message,
    });
  await t.throwsAsync(gossip.start(), { code: 'failed_precondition' });
}, 1);

test('a topic may be 32 bytes, or any name', async (t) => {
  const names = ['', ' ', 'ü\u0000/#', 'x'.repeat(100_000), new Uint8Array(32).fill(7)];
  const open = (node: TestNode) => names.map((name) => listen(node, name));
  const { sim, a, b } = await openPair(t.context, open);
  for (const [i, { topic }] of a.entries()) void topic.publish(String(i));
  await sim.run(500);
  const received = b.map(({ words: read }) => read);
  const expected = names.map((_, i) => [String(i)]);
  t.deepEqual(received, expected);
  t.is(b.at(-1)!.topic.name, '07'.repeat(32));
}, 1);
