// Behaviors with peers that are absent, don't read, or are slow: no other node waits for them.

import { words } from '../cluster.ts';
import { type Behavior, inOrder, numbers } from './scene.ts';

const hang = () => new Promise<void>(() => {});

export const waiting: readonly Behavior[] = [
  {
    title:
      'publishing never waits: without peers, without subscribers, or with a reader that hangs',
    async check(t, scene) {
      await scene.boot(['a']);
      t.deepEqual(await scene.publish('a', 'nobody is there'), { queued: 0 });
      await scene.boot(['b', 'c'], {
        listens: () => false,
        to: (name) => (name === 'b' ? ['a'] : ['a', 'b']),
      });
      await scene.until('a has two peers', () => scene.node('a').peers.list().length === 2);
      t.deepEqual(await scene.publish('a', 'nobody is on it'), { queued: 0 });
      const deaf = scene.node('b').gossip.topic('news', words, { queue: { size: 10_000 } });
      scene.node('c').gossip.topic('news', words).subscribe(hang);
      await scene.until(
        'a knows two nodes on the topic',
        () =>
          scene.node('a').gossip.snapshot().topics[0]!.interested === 2 &&
          deaf.neighbors.length > 0,
      );
      await scene.until(
        'a has its neighbors',
        () => scene.ear('a').topic.neighbors.length >= (scene.isMesh ? 2 : 1),
      );
      const results = await scene.settle(
        Promise.all(numbers(500).map((number) => scene.ear('a').topic.publish(number))),
      );
      t.true(
        results.every(
          ({ queued, failed }) => queued >= (scene.isMesh ? 2 : 1) && failed === undefined,
        ),
      );
      // A tree gives newcomers notice of recent messages, even of those that were published to
      // nobody.
      const all = scene.isMesh ? 500 : 502;
      await scene.until(
        'b has received all messages',
        () => scene.node('b').gossip.snapshot().topics[0]!.delivered === all,
      );
      const heard: string[] = [];
      deaf.subscribe((message) => heard.push(message));
      await scene.publish('a', 'heard');
      await scene.until('the reader has got a message', () => heard.length > 0);
      t.deepEqual(heard, ['heard'], 'nothing from before');
    },
  },
  {
    title:
      'publishing never waits for room: a message handed over arrives, and the others are reported',
    async check(t, scene) {
      await scene.meet(['a', 'b', 'c'], { outbound: { messages: 3 } });
      const sent = numbers(60).map((number) => number.padEnd(40_000));
      const results = await scene.settle(
        Promise.all(sent.map((word) => scene.ear('a').topic.publish(word))),
      );
      for (const { queued, failed = [] } of results)
        t.true(scene.isMesh ? queued + failed.length === 2 : queued >= 1);
      const queued = results.reduce((sum, result) => sum + result.queued, 0);
      const expected = scene.isMesh ? queued : 2 * sent.length;
      await scene.until(
        'all messages have arrived',
        () => scene.words('b').length + scene.words('c').length >= expected,
      );
      for (const { failed = [] } of results)
        t.true(failed.every(({ error }) => error.code === 'resource_exhausted'));
      await scene.publish('a', 'later');
      await scene.heard('later', ['b', 'c']);
      t.is(scene.words('b').length + scene.words('c').length, expected + 2);
    },
  },
  {
    title:
      'a reader that hangs delays neither other readers of its topic nor another topic of the same peer',
    async check(t, scene) {
      const other: string[] = [];
      await scene.meet(['a', 'b'], {
        setup: ({ name, gossip }) =>
          name === 'b' &&
          void gossip
            .topic('other', words, { queue: { size: 10_000 } })
            .subscribe((word) => other.push(word)),
      });
      scene.ear('b').topic.subscribe(hang);
      const topic = scene.node('a').gossip.topic('other', words);
      for (const number of numbers(500)) {
        scene.say('a', number);
        void topic.publish(number);
      }
      await scene.until(
        'both readers have got 500 messages',
        () => scene.words('b').length >= 500 && other.length >= 500,
      );
      for (const heard of [scene.words('b'), other])
        t.deepEqual(inOrder(scene, heard), inOrder(scene, numbers(500)));
      t.true(scene.ear('b').heard.every(({ meta }) => meta.missed === 0));
      void topic.publish('later');
      await scene.until('the last message has arrived', () => other.at(-1) === 'later');
    },
  },
];
