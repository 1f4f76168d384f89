// Behaviors when nodes join, leave, are lost, come back and close.

import { TransportError } from '@trunkline/transport-core';
import { words } from '../cluster.ts';
import { type Behavior, numbers } from './scene.ts';

const PRESENCE = ['joined', 'neighborUp', 'neighborDown', 'left'];
/** Messages of 50,000 bytes. */
const LONG = numbers(100).map((number) => number.padEnd(50_000));

export const coming: readonly Behavior[] = [
  {
    title: 'the first node may be alone; others join through any member',
    async check(t, scene) {
      await scene.boot(['a']);
      t.deepEqual(await scene.publish('a', 'to nobody'), { queued: 0 });
      await scene.meet(['b'], { to: () => ['a'] });
      scene.ear('a').topic.close();
      scene.ear('a').subscription.close();
      await scene.until('b has no neighbors', () => scene.ear('b').topic.neighbors.length === 0);
      scene.ears.delete('a');
      await scene.meet(['c'], { to: () => ['b'] });
      await scene.publish('c', 'hello');
      await scene.heard('hello', ['b']);
      t.deepEqual(scene.ear('b').heard[0]!.meta.origin, scene.idOf('c'));
    },
  },
  {
    title:
      'a node removed from the topology neither receives nor sends, and does again after it is added',
    async check(t, scene) {
      const names = ['a', 'b', 'c'];
      // No node accepts peers that are not on its list.
      await scene.boot(names, {
        to: () => [],
        peers: { maxInbound: 0, exchange: { enabled: false } },
      });
      const lists = (members: readonly string[]) => {
        for (const name of names) {
          const others = members.includes(name) ? members.filter((other) => other !== name) : [];
          scene
            .node(name)
            .peers.setTopology(
              others.map((other) => `${scene.idOf(other)}@${scene.network.addressOf(other)}`),
            );
        }
      };
      lists(names);
      await scene.met();
      lists(['a', 'b']);
      const { events } = scene.node('c');
      await scene.until('c has no neighbors, and a and b have one', () =>
        names.every((name) => scene.ear(name).topic.neighbors.length === (name === 'c' ? 0 : 1)),
      );
      await scene.until('c emits neighborDown', () =>
        events.some(({ type }) => type === 'neighborDown'),
      );
      t.deepEqual(await scene.publish('a', 'without'), { queued: 1 });
      t.deepEqual(await scene.publish('c', 'alone'), { queued: 0 });
      await scene.heard('without', ['b']);
      t.deepEqual([scene.words('a'), scene.words('b'), scene.words('c')], [[], ['without'], []]);
      const lost = events.filter(({ type }) => type === 'neighborDown');
      t.true(lost.length > 0 && lost.every((event) => 'cause' in event && event.cause === 'lost'));
      lists(names);
      await scene.met();
      await scene.publish('a', 'again');
      await scene.publish('c', 'back');
      await scene.heard('again', ['c']);
      await scene.heard('back', ['a', 'b']);
      if (!scene.isMesh) return;
      t.deepEqual([scene.words('c'), scene.words('a')], [['again'], ['back']]);
    },
  },
  {
    title:
      'a node that is lost and returns with the same id rejoins the topic, and its messages are new',
    async check(t, scene) {
      await scene.meet(['a', 'b', 'c']);
      for (const word of ['1', '2', '3']) scene.say('c', word);
      for (const word of ['1', '2', '3']) await scene.heard(word, ['a', 'b']);
      await scene.network.crash('c');
      await scene.until('a and b have lost the neighbor', () =>
        ['a', 'b'].every((name) => scene.ear(name).topic.neighbors.length === 1),
      );
      await scene.publish('a', 'while it is away');
      await scene.heard('while it is away', ['b']);
      await scene.network.restart('c');
      await scene.met();
      for (const word of ['4', '5']) scene.say('c', word);
      await scene.publish('a', 'back');
      for (const word of ['4', '5']) await scene.heard(word, ['a', 'b']);
      await scene.heard('back', ['b', 'c']);
      for (const name of ['a', 'b'])
        t.deepEqual(
          scene.words(name).filter((word) => word.length === 1),
          ['1', '2', '3', '4', '5'],
        );
      // A tree gives newcomers notice of messages that were published a moment ago, and so does a
      // topic that is new itself.
      t.deepEqual(
        scene.words('c').filter((word) => word !== 'while it is away'),
        ['back'],
      );
    },
  },
  {
    title: 'closing the last handle and reader of a topic leaves it, and it can be joined again',
    async check(t, scene) {
      await scene.meet(['a', 'b']);
      const b = scene.node('b');
      const second = b.gossip.topic('news', words);
      const heard: string[] = [];
      const subscription = second.subscribe((message) => heard.push(message));
      const [{ topic, subscription: first, words: atFirst }] = [scene.ear('b')];
      second.close();
      topic.close();
      await t.throwsAsync(second.publish('closed'), { code: 'shutdown' });
      t.throws(() => second.subscribe(() => {}), { code: 'shutdown' });
      await scene.publish('a', 'still on it');
      await scene.until('the readers have got the message', () => heard.includes('still on it'));
      subscription.close();
      subscription.close();
      await scene.publish('a', 'the reader of the first handle is there');
      await scene.until('the reader has got both messages', () => atFirst.length === 2);
      t.deepEqual(heard, ['still on it']);
      const [state] = b.gossip.snapshot().topics;
      t.deepEqual(
        [state!.readers.length, state!.handles, b.events.some(({ type }) => type === 'left')],
        [1, 0, false],
      );
      first.close();
      t.deepEqual(b.gossip.snapshot().topics, []);
      await scene.until(
        'b has left the topic',
        () =>
          b.events.some(({ type }) => type === 'left') &&
          scene.ear('a').topic.neighbors.length === 0,
      );
      const again: string[] = [];
      const reopened = b.gossip.topic('news', words);
      reopened.subscribe((message) => again.push(message));
      await scene.until(
        'both nodes are neighbors',
        () => scene.ear('a').topic.neighbors.length === 1 && reopened.neighbors.length === 1,
      );
      await scene.settle(reopened.publish('in another life'));
      await scene.publish('a', 'welcome');
      await scene.heard('in another life', ['a']);
      await scene.until('the new reader has got the message', () => again.includes('welcome'));
      if (scene.isMesh) t.deepEqual(again, ['welcome']);
      t.deepEqual(scene.words('a'), ['in another life']);
    },
  },
  {
    title:
      'joined, neighbors and left events come in this order, with their causes, each time a node leaves and returns',
    async check(t, scene) {
      await scene.boot(['a', 'b'], { listens: () => false });
      const [a, b] = [scene.node('a'), scene.node('b')];
      const one = a.gossip.topic('x', words);
      for (let i = 0; i < 2; i++) {
        const two = b.gossip.topic('x', words);
        await scene.until(
          'both nodes are neighbors',
          () => one.neighbors.length === 1 && two.neighbors.length === 1,
        );
        two.close();
        await scene.until('the first node has no neighbors', () => one.neighbors.length === 0);
      }
      one.close();
      await scene.until('both nodes have left the topic', () =>
        [a, b].every(({ events }) => events.at(-1)?.type === 'left'),
      );
      const told = ({ events }: typeof a) =>
        events
          .filter(({ type }) => PRESENCE.includes(type))
          .map(({ type, ...rest }) => ('cause' in rest ? `${type} ${String(rest.cause)}` : type));
      const round = ['neighborUp', 'neighborDown left'];
      t.deepEqual(told(a), ['joined', ...round, ...round, 'left']);
      const own = ['joined', 'neighborUp', 'neighborDown closed', 'left'];
      t.deepEqual(told(b), [...own, ...own]);
      t.deepEqual(a.gossip.snapshot().topics, []);
    },
  },
  {
    title: 'closing ends loops, rejects waiting calls, and notifies the other nodes',
    async check(t, scene) {
      await scene.meet(['a', 'b']);
      const [a, b] = [scene.node('a'), scene.node('b')];
      const heard: string[] = [];
      const loop = (async () => {
        for await (const { message } of scene.ear('b').topic) heard.push(message);
        return 'over';
      })();
      await scene.publish('a', 'x');
      await scene.heard('x', ['b']);
      const failure = t.throwsAsync(scene.ear('b').topic.publish('y', { min: 5 }), {
        code: 'shutdown',
      });
      const closing = b.gossip.close();
      await scene.settle(failure);
      await scene.settle(closing);
      t.deepEqual([await scene.settle(loop), heard], ['over', ['x']]);
      await scene.until(
        'a has no neighbors',
        () =>
          scene.ear('a').topic.neighbors.length === 0 &&
          a.events.some(({ type }) => type === 'neighborDown'),
      );
      t.like(
        a.events.find(({ type }) => type === 'neighborDown'),
        { cause: 'left' },
      );
      t.throws(() => b.gossip.topic('z', words), { code: 'shutdown' });
      t.deepEqual([b.gossip.snapshot().topics, b.gossip.snapshot().peers], [[], []]);
    },
  },
  {
    title:
      'everything that gossip, peers and transport hold is released, in whatever order they are closed',
    async check(t, scene) {
      await scene.meet(['a', 'b']);
      await scene.publish('a', 'x');
      await scene.heard('x', ['b']);
      const [a, b] = [scene.node('a'), scene.node('b')];
      await scene.settle(a.transport.close());
      await scene.settle(a.gossip.close());
      await scene.settle(a.peers.close());
      await scene.settle(b.peers.close());
      await scene.settle(b.transport.close());
      await scene.settle(b.gossip.close());
      for (const { transport, gossip } of [a, b])
        t.deepEqual(
          [transport.remotes(), gossip.snapshot().topics, gossip.snapshot().peers],
          [[], [], []],
        );
    },
  },
  {
    title: 'close() delivers every message for which publish() resolved, and publishes no more',
    async check(t, scene) {
      await scene.meet(['a', 'b', 'c']);
      await scene.acquainted('a', 2);
      const { gossip, peers, transport } = scene.node('a');
      const { topic } = scene.ear('a');
      const results = await scene.settle(Promise.all(LONG.map((word) => topic.publish(word))));
      t.true(results.every(({ failed }) => failed === undefined));
      const waits = topic.publish('never confirmed', { to: [scene.idOf('b')], min: 2 });
      const closed = gossip.close();
      await t.throwsAsync(scene.settle(waits), { instanceOf: TransportError });
      await t.throwsAsync(topic.publish('too late'), { code: 'shutdown' });
      t.throws(() => gossip.topic('another', words), { code: 'shutdown' });
      t.deepEqual(await scene.settle(closed), { unsent: [] });
      await scene.settle(peers.close().then(() => transport.close()));
      scene.ears.delete('a');
      const isLong = (word: string) => word.length === 50_000;
      await scene.until('b and c have read all messages', () =>
        ['b', 'c'].every((name) => scene.words(name).filter(isLong).length === LONG.length),
      );
      for (const name of ['b', 'c'])
        t.deepEqual(scene.words(name).filter(isLong).sort(), [...LONG].sort(), name);
    },
  },
];
