// Behaviors of the results of publishing: for which peers a message is queued, which have confirmed
// it, and which have failed.

import type { TransportError } from '@trunkline/transport-core';
import type { PublishResult } from '../../types.ts';
import { idOf, words } from '../cluster.ts';
import type { Behavior } from './scene.ts';

const NAMES = ['a', 'b', 'c', 'd'];

export const receipts: readonly Behavior[] = [
  {
    title: 'min counts peers whose readers have the message: of the topic, of a list, and any',
    async check(t, scene) {
      await scene.meet(NAMES);
      await scene.acquainted('a', 3);
      await scene.until(
        'a has all other nodes as neighbors',
        () => scene.ear('a').topic.neighbors.length === 3,
      );
      const all = await scene.publish('a', 'all', { min: 3 });
      t.deepEqual(all, { queued: 3, received: 3 });
      for (const name of ['b', 'c', 'd']) t.deepEqual(scene.words(name), ['all'], name);
      const list = ['b', 'c'].map((name) => scene.idOf(name));
      t.deepEqual(await scene.publish('a', 'list', { to: list, min: 2 }), {
        queued: 2,
        received: 2,
      });
      for (const name of ['b', 'c']) t.deepEqual(scene.words(name), ['all', 'list'], name);
      t.deepEqual(await scene.publish('a', 'any', { any: 2, min: 2 }), { queued: 2, received: 2 });
      t.is(['b', 'c', 'd'].filter((name) => scene.words(name).includes('any')).length, 2);
      // Again, because some links may no longer be part of the tree.
      for (const word of ['1', '2', '3', '4', '5']) {
        t.is((await scene.publish('a', word, { min: 3 })).received, 3);
        for (const name of ['b', 'c', 'd'])
          t.true(scene.words(name).includes(word), `${name}: ${word}`);
      }
      t.is((await scene.publish('a', 'none', { min: 0 })).received, undefined);
    },
  },
  {
    title:
      'a node that refuses a message does not count; its reason is reported, and so is a shortage of other nodes',
    async check(t, scene) {
      await scene.meet(NAMES, {
        setup: ({ name, gossip }) =>
          void (
            name !== 'a' && gossip.topic('picky', words, { validate: () => 'ignore', limit: 100 })
          ),
      });
      await scene.acquainted('a', 3);
      const picky = scene.node('a').gossip.topic('picky', words);
      await scene.until(
        'a knows three nodes on the topic',
        () => scene.node('a').gossip.snapshot().topics[1]!.interested === 3,
      );
      const reasonOf = async (message: string, to: readonly string[]) => {
        const error = (await t.throwsAsync(
          scene.settle(picky.publish(message, { to, min: 1 })),
        )) as TransportError;
        t.is(error.code, 'unavailable');
        return error.cause as TransportError;
      };
      const ignored = await reasonOf('x', [scene.idOf('b')]);
      t.deepEqual(
        [ignored.code, ignored.target, ignored.origin],
        ['failed_precondition', scene.idOf('b'), 'remote'],
      );
      t.regex(ignored.message, /its validator ignores the message \(ignored\)/u);
      t.is((await reasonOf('x'.repeat(200), [scene.idOf('c')])).reason, 'too_large');
      t.is((await reasonOf('x', [idOf('nobody')])).code, 'unavailable');
      // Try all of them, one after the other.
      const any = (await t.throwsAsync(
        scene.settle(picky.publish('x', { any: 1, min: 1, timeout: 60_000 })),
      )) as TransportError;
      t.regex(
        any.message,
        /^publish: 0 of 1 peers can confirm it; it is queued for 0; 3 failed, the first because node/u,
      );
    },
  },
  {
    title: 'a node that is lost before it confirms a message does not count',
    async check(t, scene) {
      await scene.meet(['a', 'b', 'c'], {
        setup: ({ name, gossip }) =>
          void (
            name !== 'a' &&
            gossip.topic('slow', words, {
              validate: () => (name === 'b' ? 'accept' : new Promise(() => {})),
              validateTimeout: 600_000,
            })
          ),
      });
      const slow = scene.node('a').gossip.topic('slow', words);
      await scene.until(
        'a knows two nodes on the topic',
        () => scene.node('a').gossip.snapshot().topics[1]!.interested === 2,
      );
      const list = ['b', 'c'].map((name) => scene.idOf(name));
      t.is((await scene.settle(slow.publish('x', { to: list, min: 1 }))).received, 1);
      const both = slow.publish('x', { to: list, min: 2, timeout: 600_000 });
      await scene.until('the message has arrived at c', () =>
        scene
          .node('c')
          .gossip.snapshot()
          .topics.some(({ validating }) => validating > 1),
      );
      const failed = t.throwsAsync(scene.settle(both), {
        code: 'unavailable',
        message: /^publish: 1 of 2 peers can confirm it.*was lost/u,
      });
      await scene.network.crash('c');
      scene.ears.delete('c');
      await failed;
    },
  },
  {
    title:
      'messages published before the start, right after it, or right after joining wait for the other side',
    async check(t, scene) {
      const results: Promise<PublishResult>[] = [];
      await scene.boot(['b']);
      await scene.boot(['a'], {
        to: () => ['b'],
        setup({ name, gossip }) {
          if (name === 'a') results.push(gossip.topic('news', words).publish('before'));
        },
      });
      results.push(scene.ear('a').topic.publish('after'));
      for (const result of await scene.settle(Promise.all(results)))
        t.deepEqual(result, { queued: 1 });
      for (const word of ['before', 'after']) await scene.heard(word, ['b']);
      t.deepEqual([...scene.words('b')].sort(), ['after', 'before']);
      const heard: string[] = [];
      scene
        .node('b')
        .gossip.topic('second', words)
        .subscribe((word) => heard.push(word));
      const second = scene.node('a').gossip.topic('second', words);
      const [all, listed, any] = await scene.settle(
        Promise.all([
          second.publish('all'),
          second.publish('listed', { to: [scene.idOf('b')] }),
          second.publish('any', { any: 1 }),
        ]),
      );
      t.deepEqual([all, listed, any], [{ queued: 1 }, { queued: 1 }, { queued: 1 }]);
      await scene.until('all messages have arrived', () => heard.length === 3);
    },
  },
];
