// Tests of confirmations and their cost: the result lists the peers that have taken a message and
// those that have not, with the reason.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { idOf, listen, meet, runs, words } from './testing/cluster.ts';
import { relayMesh } from './testing/relay-mesh.ts';
import test from './testing/serial.ts';
import type { MessageVerdict } from './types.ts';

test('nodes that refuse a message are in failed with their reasons, after enough others have accepted it', async (t) => {
  let accept: (verdict: MessageVerdict) => void = () => {};
  const verdicts: Record<string, () => MessageVerdict | Promise<MessageVerdict>> = {
    b: () => 'reject',
    c: () => {
      throw new Error('broken');
    },
    d: () => new Promise((resolve) => (accept = resolve)),
  };
  const { sim, subscriber } = await meet(t.context, ['a', 'b', 'c', 'd'], {
    topic: (name) => (name === 'a' ? {} : { validate: verdicts[name], validateTimeout: 60_000 }),
  });
  const published = subscriber('a').topic.publish('x', { min: 1 });
  await sim.run(500);
  accept('accept');
  const { queued, received, failed = [] } = await sim.settle(published);
  t.deepEqual([queued, received, failed.length], [1, 1, 2]);
  const refusals = Object.fromEntries(failed.map(({ nodeId, refusal }) => [nodeId, refusal]));
  t.deepEqual(refusals, { [idOf('b')]: 'rejected', [idOf('c')]: 'ignored' });
  for (const { nodeId, error } of failed)
    t.like(error, { code: 'failed_precondition', target: nodeId });
});

test('a node with another overlay refuses the messages that it gets, and reports that', async (t) => {
  const { sim, subscriber } = await meet(t.context, ['a', 'b'], {
    gossip: (name) => ({ overlay: name === 'a' ? fullMesh() : partialView() }),
    neighbors: 0,
  });
  await sim.until(() => subscriber('a').topic.neighbors.length === 1, 20_000);
  await t.throwsAsync(sim.settle(subscriber('a').topic.publish('x', { min: 1, timeout: 1_000 })), {
    code: 'deadline_exceeded',
    message:
      /0 of 1 peers confirmed it within 1000 ms; it is queued for 0; 1 failed, the first because node .* it uses another overlay \(stranger\)/u,
  });
  t.deepEqual(subscriber('b').words, []);
}, 1);

test('a node that left the topic reports that when asked; one that returns is asked again', async (t) => {
  const { sim, subscriber, node } = await meet(t.context, ['a', 'b', 'c']);
  const { topic, subscription } = subscriber('c');
  topic.close();
  subscription.close();
  // The message that announces c's departure is still in flight.
  const published = subscriber('a').topic.publish('x', { min: 2 });
  await sim.run(2_000);
  const back = listen(node('c'));
  t.deepEqual(await sim.settle(published), { queued: 2, received: 2 });
  t.deepEqual(back.words, ['x']);
});

test('on a partial view another neighbor makes up for a refusal; a min above the number of links throws a TypeError', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const { sim, subscriber } = await meet(t.context, names, {
    gossip: () => ({ overlay: partialView({ active: 4 }) }),
    topic: (name) => ({ validate: (word) => (word.includes(name) ? 'ignore' : 'accept') }),
  });
  const { topic } = subscriber('a');
  for (let i = 0; i < 5; i++) {
    for (const refusing of ['b', 'bc', 'bcd', 'e', 'de']) {
      const min = 4 - refusing.length;
      const { received, failed = [] } = await sim.settle(topic.publish(refusing, { min }));
      t.is(received, min, refusing);
      for (const { refusal } of failed) t.is(refusal, 'ignored');
    }
  }
  await t.throwsAsync(topic.publish('x', { min: 5 }), {
    instanceOf: TypeError,
    message: /min: must be at most 4, the links of a node/u,
  });
  await t.throwsAsync(sim.settle(topic.publish('b', { min: 4, timeout: 1_000 })), {
    code: 'deadline_exceeded',
    message: /3 of 4 peers confirmed/u,
  });
  t.is((await sim.settle(topic.publish('x', { to: names.map(idOf), min: 4 }))).received, 4);
});

test('every receiver sends a receipt for long messages that arrive through relays', async (t) => {
  const { sim, at } = await relayMesh(t.context, 9);
  const published = at('n00').topic.publish(new Uint8Array(200_000), { min: 8 });
  t.deepEqual(await sim.settle(published), { queued: 8, received: 8 });
}, 1);

test(
  'without min no receipts are requested',
  async (t) => {
    const { sim, subscriber } = await meet(t.context, ['a', 'b', 'c']);
    const sent = { push: 0, receipt: 0 };
    sim.intercept(({ method }) => {
      if (method === 'push' || method === 'receipt') sent[method]++;
      return undefined;
    });
    const { topic } = subscriber('a');
    for (let i = 0; i < 10; i++) await sim.settle(topic.publish('x'));
    await sim.settle(topic.publish('x', { to: [idOf('b')] }));
    await sim.run(1_000);
    t.deepEqual(sent, { push: 21, receipt: 0 });
    await sim.settle(topic.publish('x', { min: 2 }));
    t.deepEqual(sent, { push: 23, receipt: 2 });
  },
  runs(1, ['message']),
);

test('messages from the first second of a topic reach all nodes that turn out to be on it', async (t) => {
  const { sim, node } = await meet(t.context, ['a', 'b', 'c', 'd'], { topic: () => undefined });
  const before = listen(node('a'), 'before');
  await sim.until(() => node('a').peers.list().length === 3, 20_000);
  await sim.run(5_000);
  const topic = node('a').gossip.topic('news', words);
  const published = topic.publish('x');
  const b = listen(node('b'));
  t.deepEqual(await sim.settle(published), { queued: 1 });
  const c = listen(node('c'));
  await sim.run(1_500);
  const d = listen(node('d'));
  await sim.run(1_500);
  t.deepEqual([b.words, c.words, d.words], [['x'], ['x'], []]);
  const began = sim.now;
  t.deepEqual(await sim.settle(before.topic.publish('to nobody'), 1), { queued: 0 });
  t.true(sim.now - began < 5);
  const late = listen(node('b'), 'late');
  const own = node('a').gossip.topic('late', words);
  const some = [{ to: [idOf('b')] }, { any: 1 }].map((options) => own.publish('x', options));
  t.deepEqual(await sim.settle(Promise.all(some)), [{ queued: 1 }, { queued: 1 }]);
  await sim.until(() => late.words.length === 2, 1_000);
});
