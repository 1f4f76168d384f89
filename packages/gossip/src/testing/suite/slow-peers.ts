// Behaviors with peers that are absent, don't read, or are slow: no other node waits for them.

import { words } from '../cluster.ts';
import { type Behavior, inOrder, numbers } from './gossip-fixture.ts';

const hang = () => new Promise<void>(() => {});

export const slowPeers: readonly Behavior[] = [
  {
    title:
      'publishing never waits: without peers, without subscribers, or with a reader that hangs',
    async check(t, fixture) {
      await fixture.boot(['a']);
      t.deepEqual(await fixture.publish('a', 'nobody is there'), { queued: 0 });
      await fixture.boot(['b', 'c'], {
        listens: () => false,
        to: (name) => (name === 'b' ? ['a'] : ['a', 'b']),
      });
      await fixture.until('a has two peers', () => fixture.node('a').peers.list().length === 2);
      t.deepEqual(await fixture.publish('a', 'nobody is on it'), { queued: 0 });
      const deaf = fixture.node('b').gossip.topic('news', words, { queue: { messages: 10_000 } });
      fixture.node('c').gossip.topic('news', words).subscribe(hang);
      await fixture.acquainted('a', 2);
      const least = fixture.isMesh ? 2 : 1;
      await fixture.until(
        'a and b have their neighbors',
        () => deaf.neighbors.length > 0 && fixture.subscriber('a').topic.neighbors.length >= least,
      );
      const results = await fixture.settle(
        Promise.all(numbers(500).map((number) => fixture.subscriber('a').topic.publish(number))),
      );
      t.true(results.every(({ queued, failed }) => queued >= least && failed === undefined));
      // A tree gives newcomers notice of recent messages, even of those that were published to
      // nobody.
      const all = fixture.isMesh ? 500 : 502;
      await fixture.until(
        'b has received all messages',
        () => fixture.node('b').gossip.snapshot().topics[0]!.delivered === all,
      );
      const heard: string[] = [];
      deaf.subscribe((message) => heard.push(message));
      await fixture.publish('a', 'heard');
      await fixture.until('the reader has got a message', () => heard.length > 0);
      t.deepEqual(heard, ['heard'], 'nothing from before');
    },
  },
  {
    title:
      'publishing never waits for room: a message handed over arrives, and the others are reported',
    async check(t, fixture) {
      await fixture.meet(['a', 'b', 'c'], { outbound: { messages: 3 } });
      const sent = numbers(60).map((number) => number.padEnd(40_000));
      const results = await fixture.settle(
        Promise.all(sent.map((word) => fixture.subscriber('a').topic.publish(word))),
      );
      for (const { queued, failed = [] } of results)
        t.true(fixture.isMesh ? queued + failed.length === 2 : queued >= 1);
      const queued = results.reduce((sum, result) => sum + result.queued, 0);
      const expected = fixture.isMesh ? queued : 2 * sent.length;
      await fixture.until(
        'all messages have arrived',
        () => fixture.words('b').length + fixture.words('c').length >= expected,
      );
      for (const { failed = [] } of results)
        t.true(failed.every(({ error }) => error.code === 'resource_exhausted'));
      await fixture.publish('a', 'later');
      await fixture.heard('later', ['b', 'c']);
      t.is(fixture.words('b').length + fixture.words('c').length, expected + 2);
    },
  },
  {
    title:
      'a reader that hangs delays neither other readers of its topic nor another topic of the same peer',
    async check(t, fixture) {
      const other: string[] = [];
      await fixture.meet(['a', 'b'], {
        setup: ({ name, gossip }) =>
          name === 'b' &&
          void gossip
            .topic('other', words, { queue: { messages: 10_000 } })
            .subscribe((word) => other.push(word)),
      });
      fixture.subscriber('b').topic.subscribe(hang);
      const topic = fixture.node('a').gossip.topic('other', words);
      for (const number of numbers(500)) {
        fixture.say('a', number);
        void topic.publish(number);
      }
      await fixture.until(
        'both readers have got 500 messages',
        () => fixture.words('b').length >= 500 && other.length >= 500,
      );
      for (const heard of [fixture.words('b'), other])
        t.deepEqual(inOrder(fixture, heard), inOrder(fixture, numbers(500)));
      t.true(fixture.subscriber('b').heard.every(({ meta }) => meta.missed === 0));
      void topic.publish('later');
      await fixture.until('the last message has arrived', () => other.at(-1) === 'later');
    },
  },
];
