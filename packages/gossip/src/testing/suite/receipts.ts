// Behaviors of the results of publishing: for which peers a message is queued, which have confirmed
// it, and which have failed.

import type { TransportError } from '@trunkline/transport-core';
import type { PublishResult } from '../../types.ts';
import { idOf, words } from '../cluster.ts';
import type { Behavior } from './gossip-fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];

export const receipts: readonly Behavior[] = [
  {
    title: 'min counts peers whose readers have the message: of the topic, of a list, and any',
    async check(t, fixture) {
      await fixture.meet(NAMES);
      await fixture.acquainted('a', 3);
      await fixture.neighbors(['a'], 3);
      const all = await fixture.publish('a', 'all', { min: 3 });
      t.deepEqual(all, { queued: 3, received: 3 });
      for (const name of ['b', 'c', 'd']) t.deepEqual(fixture.words(name), ['all'], name);
      const two = { queued: 2, received: 2 };
      const list = fixture.idsOf('b', 'c');
      t.deepEqual(await fixture.publish('a', 'list', { to: list, min: 2 }), two);
      for (const name of ['b', 'c']) t.deepEqual(fixture.words(name), ['all', 'list'], name);
      t.deepEqual(await fixture.publish('a', 'any', { any: 2, min: 2 }), two);
      t.is(['b', 'c', 'd'].filter((name) => fixture.words(name).includes('any')).length, 2);
      // Repeated, because some links may no longer be part of the tree.
      for (const word of ['1', '2', '3', '4', '5']) {
        t.is((await fixture.publish('a', word, { min: 3 })).received, 3);
        for (const name of ['b', 'c', 'd'])
          t.true(fixture.words(name).includes(word), `${name}: ${word}`);
      }
      t.is((await fixture.publish('a', 'none', { min: 0 })).received, undefined);
    },
  },
  {
    title:
      'a node that refuses a message does not count; its reason is reported, and so is a shortage of other nodes',
    async check(t, fixture) {
      await fixture.meet(NAMES, {
        setup: ({ name, gossip }) =>
          void (
            name !== 'a' && gossip.topic('picky', words, { validate: () => 'ignore', limit: 100 })
          ),
      });
      await fixture.acquainted('a', 3);
      const picky = fixture.node('a').gossip.topic('picky', words);
      await fixture.acquainted('a', 3, 'picky');
      const reasonOf = async (message: string, to: readonly string[]) => {
        const error = (await t.throwsAsync(
          fixture.settle(picky.publish(message, { to, min: 1 })),
        )) as TransportError;
        t.is(error.code, 'unavailable');
        return error.cause as TransportError;
      };
      const ignored = await reasonOf('x', [fixture.idOf('b')]);
      t.deepEqual(
        [ignored.code, ignored.target, ignored.origin],
        ['failed_precondition', fixture.idOf('b'), 'remote'],
      );
      t.regex(ignored.message, /its validator ignores the message \(ignored\)/u);
      t.is((await reasonOf('x'.repeat(200), [fixture.idOf('c')])).reason, 'too_large');
      t.is((await reasonOf('x', [idOf('nobody')])).code, 'unavailable');
      // Tries all of them, one after the other.
      const any = (await t.throwsAsync(
        fixture.settle(picky.publish('x', { any: 1, min: 1, timeout: 60_000 })),
      )) as TransportError;
      t.regex(
        any.message,
        /^publish: 0 of 1 peers can confirm it; it is queued for 0; 3 failed, the first because node/u,
      );
    },
  },
  {
    title: 'a node that is lost before it confirms a message does not count',
    async check(t, fixture) {
      await fixture.meet(['a', 'b', 'c'], {
        setup: ({ name, gossip }) =>
          void (
            name !== 'a' &&
            gossip.topic('slow', words, {
              validate: () => (name === 'b' ? 'accept' : new Promise(() => {})),
              validateTimeout: 600_000,
            })
          ),
      });
      const slow = fixture.node('a').gossip.topic('slow', words);
      await fixture.acquainted('a', 2, 'slow');
      const list = fixture.idsOf('b', 'c');
      t.is((await fixture.settle(slow.publish('x', { to: list, min: 1 }))).received, 1);
      const both = slow.publish('x', { to: list, min: 2, timeout: 600_000 });
      await fixture.until('the message has arrived at c', () =>
        fixture
          .node('c')
          .gossip.snapshot()
          .topics.some(({ validating }) => validating > 1),
      );
      const failed = t.throwsAsync(fixture.settle(both), {
        code: 'unavailable',
        message: /^publish: 1 of 2 peers can confirm it.*was lost/u,
      });
      await fixture.network.crash('c');
      fixture.subscribers.delete('c');
      await failed;
    },
  },
  {
    title:
      'messages published before the start, right after it, or right after joining wait for the other side',
    async check(t, fixture) {
      const results: Promise<PublishResult>[] = [];
      await fixture.boot(['b']);
      await fixture.boot(['a'], {
        to: () => ['b'],
        setup({ name, gossip }) {
          if (name === 'a') results.push(gossip.topic('news', words).publish('before'));
        },
      });
      results.push(fixture.subscriber('a').topic.publish('after'));
      for (const result of await fixture.settle(Promise.all(results)))
        t.deepEqual(result, { queued: 1 });
      for (const word of ['before', 'after']) await fixture.heard(word, ['b']);
      t.deepEqual([...fixture.words('b')].sort(), ['after', 'before']);
      const heard: string[] = [];
      fixture
        .node('b')
        .gossip.topic('second', words)
        .subscribe((word) => heard.push(word));
      const second = fixture.node('a').gossip.topic('second', words);
      const [all, listed, any] = await fixture.settle(
        Promise.all([
          second.publish('all'),
          second.publish('listed', { to: [fixture.idOf('b')] }),
          second.publish('any', { any: 1 }),
        ]),
      );
      t.deepEqual([all, listed, any], [{ queued: 1 }, { queued: 1 }, { queued: 1 }]);
      await fixture.until('all messages have arrived', () => heard.length === 3);
    },
  },
];
