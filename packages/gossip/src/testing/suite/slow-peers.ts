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
    const results = await fixture.publishAll('a', numbers(COUNT));
    t.true(results.every(({ queued }) => queued === 1));
    await fixture.until('b has read all messages', () => fixture.words('b').length === COUNT);
    await fixture.until('every subscription has read all messages', () =>
      Object.values(heard).every((each) => each === COUNT),
    );
    t.is(missed, 0);
    t.deepEqual(eventsOf(fixture.node('b'), 'lagged'), []);
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

  test('a reader that hangs delays neither the publisher, nor other readers of its topic, nor another topic; one that comes later gets nothing from before', async (t, fixture) => {
    await fixture.meet(['a', 'b', 'c'], { listens: (name) => name !== 'c' });
    const unread = fixture.topic('c', 'news', LONG_QUEUE);
    fixture.subscriber('b').topic.subscribe(hang);
    const { words: other } = fixture.listen('b', 'other', LONG_QUEUE);
    const { topic } = fixture.subscriber('a');
    const otherOfA = fixture.topic('a', 'other');
    const least = fixture.isMesh ? 2 : 1;
    await fixture.until(
      'all have their neighbors',
      () =>
        topic.neighbors.length >= least &&
        [unread, otherOfA].every(({ neighbors }) => neighbors.length > 0),
    );
    const published = numbers(500).map((number) => [
      topic.publish(number),
      otherOfA.publish(number),
    ]);
    for (const { queued, failed } of await Promise.all(published.flat()))
      t.deepEqual([queued > 0, failed], [true, undefined]);
    const heard = [fixture.words('b'), other];
    const { gossip } = fixture.node('c');
    await fixture.until(
      'both readers have got 500 messages, and so has the node without one',
      () =>
        heard.every(({ length }) => length >= 500) &&
        gossip.snapshot().topics[0]!.delivered === 500,
    );
    for (const words of heard) t.deepEqual(inOrder(fixture, words), inOrder(fixture, numbers(500)));
    t.true(fixture.subscriber('b').heard.every(({ meta }) => meta.missed === 0));
    const late: string[] = [];
    unread.subscribe((message) => late.push(message));
    await fixture.publish('a', 'later');
    await fixture.until('the last message has arrived', () => late.length > 0);
    t.deepEqual(late, ['later']);
  });
}
