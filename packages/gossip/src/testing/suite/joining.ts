// Behaviors when nodes join, leave, are lost, come back and close.

import type { TestNode } from '../cluster.ts';
import { type DeclareTest, numbers } from './gossip-fixture.ts';

/** Returns a node's events about its topics and neighbors, with their causes. */
const presence = ({ events }: TestNode) =>
  events
    .filter(({ type }) => ['joined', 'neighborUp', 'neighborDown', 'left'].includes(type))
    .map(({ type, ...rest }) => ('cause' in rest ? `${type} ${String(rest.cause)}` : type));
/** Messages of 50,000 bytes. */
const LONG = numbers(100).map((number) => number.padEnd(50_000));

export function joining(test: DeclareTest): void {
  test('the first node may be alone; others join through any member', async (t, fixture) => {
    await fixture.boot(['a']);
    t.deepEqual(await fixture.publish('a', 'to nobody'), { queued: 0 });
    await fixture.boot(['deaf'], { listens: () => false, to: () => ['a'] });
    await fixture.until('a has a peer', () => fixture.node('a').peers.list().length === 1);
    t.deepEqual(await fixture.publish('a', 'nobody listens'), { queued: 0 });
    await fixture.meet(['b'], { to: () => ['a'] });
    fixture.subscriber('a').topic.close();
    fixture.subscriber('a').subscription.close();
    await fixture.neighbors(['b'], 0);
    fixture.subscribers.delete('a');
    await fixture.meet(['c'], { to: () => ['b'] });
    await fixture.publish('c', 'hello');
    await fixture.heard('hello', ['b']);
    t.deepEqual(fixture.subscriber('b').heard[0]!.meta.origin, fixture.idOf('c'));
  });

  test('closing the last handle and reader of a topic leaves it, and it can be joined again; events say so in order, with their causes', async (t, fixture) => {
    await fixture.meet(['a', 'b']);
    const b = fixture.node('b');
    const { topic: second, subscription, words: heard } = fixture.listen('b');
    const { topic, subscription: first, words: atFirst } = fixture.subscriber('b');
    second.close();
    topic.close();
    await t.throwsAsync(second.publish('closed'), { code: 'shutdown' });
    t.throws(() => second.subscribe(() => {}), { code: 'shutdown' });
    await fixture.publish('a', 'still on it');
    await fixture.until('the readers have got the message', () => heard.includes('still on it'));
    subscription.close();
    subscription.close();
    await fixture.publish('a', 'the reader of the first handle is there');
    await fixture.until('the reader has got both messages', () => atFirst.length === 2);
    t.deepEqual(heard, ['still on it']);
    const [state] = b.gossip.snapshot().topics;
    t.deepEqual([state!.readers.length, state!.handles], [1, 0]);
    t.deepEqual(presence(b), ['joined', 'neighborUp']);
    first.close();
    t.deepEqual(b.gossip.snapshot().topics, []);
    await fixture.neighbors(['a'], 0);
    const { topic: reopened, words: again } = fixture.listen('b');
    await fixture.neighbors(['a'], 1);
    await fixture.until('b has a neighbor', () => reopened.neighbors.length === 1);
    await reopened.publish('in another life');
    await fixture.publish('a', 'welcome');
    await fixture.heard('in another life', ['a']);
    await fixture.until('the new reader has got the message', () => again.includes('welcome'));
    if (fixture.isMesh) t.deepEqual(again, ['welcome']);
    t.deepEqual(fixture.words('a'), ['in another life']);
    const once = ['joined', 'neighborUp', 'neighborDown closed', 'left'];
    t.deepEqual(presence(b), [...once, 'joined', 'neighborUp']);
    const seen = ['joined', 'neighborUp', 'neighborDown left', 'neighborUp'];
    t.deepEqual(presence(fixture.node('a')), seen);
  });

  test('closing ends loops, rejects waiting calls, and notifies the other nodes', async (t, fixture) => {
    await fixture.meet(['a', 'b']);
    const [a, b] = [fixture.node('a'), fixture.node('b')];
    const heard: string[] = [];
    const loop = (async () => {
      for await (const { message } of fixture.subscriber('b').topic) heard.push(message);
      return 'over';
    })();
    await fixture.publish('a', 'x');
    await fixture.heard('x', ['b']);
    const failure = t.throwsAsync(fixture.subscriber('b').topic.publish('y', { min: 5 }), {
      code: 'shutdown',
    });
    const closing = b.gossip.close();
    await Promise.all([failure, closing]);
    t.deepEqual([await loop, heard], ['over', ['x']]);
    await fixture.neighbors(['a'], 0);
    await fixture.until('a knows why', () => presence(a).at(-1) === 'neighborDown left');
    t.throws(() => fixture.topic('b', 'z'), { code: 'shutdown' });
    t.deepEqual([b.gossip.snapshot().topics, b.gossip.snapshot().peers], [[], []]);
  });

  test('everything that gossip, peers and transport hold is released, in whatever order they are closed', async (t, fixture) => {
    await fixture.meet(['a', 'b']);
    await fixture.publish('a', 'x');
    await fixture.heard('x', ['b']);
    const [a, b] = [fixture.node('a'), fixture.node('b')];
    for (const each of [a.transport, a.gossip, a.peers, b.peers, b.transport, b.gossip])
      await each.close();
    for (const { transport, gossip } of [a, b])
      t.deepEqual(
        [transport.remotes(), gossip.snapshot().topics, gossip.snapshot().peers],
        [[], [], []],
      );
  });

  test('close() delivers every message for which publish() resolved, and publishes no more', async (t, fixture) => {
    await fixture.meet(['a', 'b', 'c']);
    await fixture.acquainted('a', 2);
    const { gossip, peers, transport } = fixture.node('a');
    const { topic } = fixture.subscriber('a');
    const results = await fixture.publishAll('a', LONG);
    t.true(results.every(({ failed }) => failed === undefined));
    const closed = gossip.close();
    await t.throwsAsync(topic.publish('too late'), { code: 'shutdown' });
    t.deepEqual(await closed, { unsent: [] });
    await peers.close();
    await transport.close();
    fixture.subscribers.delete('a');
    const isLong = (word: string) => word.length === 50_000;
    await fixture.until('b and c have read all messages', () =>
      ['b', 'c'].every((name) => fixture.words(name).filter(isLong).length === LONG.length),
    );
    for (const name of ['b', 'c'])
      t.deepEqual(fixture.words(name).filter(isLong).sort(), [...LONG].sort(), name);
  });
}
