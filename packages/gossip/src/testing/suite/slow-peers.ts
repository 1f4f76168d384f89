// Behaviors with readers that keep up, and with peers that are absent, don't read, or are slow: no
// other node waits for them.

import { eventsOf, words } from '../cluster.ts';
import { type DeclareTest, inOrder, LONG_QUEUE, numbers } from './gossip-fixture.ts';

const COUNT = 1_000;
const hang = () => new Promise<void>(() => {});

export function slowPeers(test: DeclareTest): void {
  test('loops that keep up miss nothing, however many messages arrive in one turn, and however short their queue is', async (t, fixture) => {
    const heard = { usual: 0, short: 0, one: 0, strict: 0 };
    let missed = 0;
    const count = async (
      name: keyof typeof heard,
      reader: AsyncIterable<{ readonly meta: { readonly missed: number } }>,
    ) => {
      for await (const { meta } of reader) {
        heard[name]++;
        missed += meta.missed;
      }
    };
    await fixture.meet(['a', 'b'], {
      setup({ name, gossip }) {
        if (name === 'a') return;
        const topic = gossip.topic('news', words);
        void count('usual', topic);
        void count('short', topic.messages({ queue: { messages: 8 } }));
        void count('one', topic.messages({ queue: { messages: 1, policy: 'drop-newest' } }));
        void count('strict', topic.messages({ queue: { bytes: 100, policy: 'error' } }));
      },
    });
    const { gossip } = fixture.node('a');
    const hasRoom = () => gossip.snapshot().peers.every(({ waiting }) => waiting.messages === 0);
    let queued = 0;
    for (const number of numbers(COUNT)) {
      // One after the other, and no faster than the connection accepts them.
      queued += (await fixture.publish('a', number)).queued;
      if (!hasRoom()) await fixture.until('the publisher has room for another message', hasRoom);
    }
    t.is(queued, COUNT);
    await fixture.until('b has read all messages', () => fixture.words('b').length === COUNT);
    await fixture.until('every subscription has read all messages', () =>
      Object.values(heard).every((each) => each === COUNT),
    );
    t.is(missed, 0);
    t.deepEqual(eventsOf(fixture.node('b'), 'lagged'), []);
  });

  test('publishing never waits for a reader that hangs, and one that comes later gets nothing from before', async (t, fixture) => {
    await fixture.boot(['a', 'b', 'c'], { listens: (name) => name === 'a' });
    const late = fixture.topic('b', 'news', LONG_QUEUE);
    fixture.topic('c').subscribe(hang);
    await fixture.acquainted('a', 2);
    const least = fixture.isMesh ? 2 : 1;
    await fixture.until(
      'a and b have their neighbors',
      () => late.neighbors.length > 0 && fixture.subscriber('a').topic.neighbors.length >= least,
    );
    const results = await fixture.publishAll('a', numbers(500));
    t.true(results.every(({ queued, failed }) => queued >= least && failed === undefined));
    const { gossip } = fixture.node('b');
    const delivered = () => gossip.snapshot().topics[0]!.delivered;
    await fixture.until('b has received all messages', () => delivered() === 500);
    const heard: string[] = [];
    late.subscribe((message) => heard.push(message));
    await fixture.publish('a', 'heard');
    await fixture.until('the reader has got a message', () => heard.length > 0);
    t.deepEqual(heard, ['heard']);
  });

  test('publishing never waits for room: a message handed over arrives, and the others are reported', async (t, fixture) => {
    await fixture.meet(['a', 'b', 'c'], { gossip: { outbound: { messages: 3 } } });
    const sent = numbers(60).map((number) => number.padEnd(40_000));
    const results = await fixture.publishAll('a', sent);
    for (const { queued, failed = [] } of results)
      t.true(fixture.isMesh ? queued + failed.length === 2 : queued >= 1);
    const queued = results.reduce((sum, result) => sum + result.queued, 0);
    const expected = fixture.isMesh ? queued : 2 * sent.length;
    const arrived = () => fixture.words('b').length + fixture.words('c').length;
    await fixture.until('all messages have arrived', () => arrived() >= expected);
    for (const { failed = [] } of results)
      t.true(failed.every(({ error }) => error.code === 'resource_exhausted'));
    await fixture.publish('a', 'later');
    await fixture.heard('later', ['b', 'c']);
    t.is(arrived(), expected + 2);
  });

  test('a reader that hangs delays neither other readers of its topic nor another topic of the same peer', async (t, fixture) => {
    await fixture.meet(['a', 'b']);
    const { words: other } = fixture.listen('b', 'other', LONG_QUEUE);
    fixture.subscriber('b').topic.subscribe(hang);
    const topic = fixture.topic('a', 'other');
    await fixture.until('a has a neighbor on both topics', () => topic.neighbors.length === 1);
    for (const number of numbers(500)) {
      void fixture.publish('a', number);
      void topic.publish(number);
    }
    const heard = [fixture.words('b'), other];
    await fixture.until('both readers have got 500 messages', () =>
      heard.every(({ length }) => length >= 500),
    );
    for (const words of heard) t.deepEqual(inOrder(fixture, words), inOrder(fixture, numbers(500)));
    t.true(fixture.subscriber('b').heard.every(({ meta }) => meta.missed === 0));
    void topic.publish('later');
    await fixture.until('the last message has arrived', () => other.at(-1) === 'later');
  });
}
