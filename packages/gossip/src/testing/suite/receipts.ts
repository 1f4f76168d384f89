// Behaviors of the results of publishing: for which peers a message is queued, which have confirmed
// it, and which have failed.

import type { TransportError } from '@trunkline/transport-core';
import { idOf } from '../cluster.ts';
import type { DeclareTest } from './gossip-fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];

export function receipts(test: DeclareTest): void {
  test('min counts peers whose readers have the message: of the topic, of a list, and any', async (t, fixture) => {
    await fixture.meet(NAMES);
    await fixture.acquainted('a', 3);
    await fixture.neighbors(['a'], 3);
    const others = ['b', 'c', 'd'];
    t.deepEqual(await fixture.publish('a', 'all', { min: 3 }), { queued: 3, received: 3 });
    for (const name of others) t.deepEqual(fixture.words(name), ['all'], name);
    const two = { queued: 2, received: 2 };
    const list = fixture.idsOf('b', 'c');
    t.deepEqual(await fixture.publish('a', 'list', { to: list, min: 2 }), two);
    for (const name of ['b', 'c']) t.deepEqual(fixture.words(name), ['all', 'list'], name);
    t.deepEqual(await fixture.publish('a', 'any', { any: 2, min: 2 }), two);
    t.is(others.filter((name) => fixture.words(name).includes('any')).length, 2);
    // Repeated, because some links may no longer be part of the tree.
    for (const word of ['1', '2', '3', '4', '5']) {
      t.is((await fixture.publish('a', word, { min: 3 })).received, 3);
      for (const name of others) t.true(fixture.words(name).includes(word), `${name}: ${word}`);
    }
    t.is((await fixture.publish('a', 'none', { min: 0 })).received, undefined);
  });

  test('a node that refuses a message does not count; its reason is reported, and so is a shortage of other nodes', async (t, fixture) => {
    await fixture.meet(NAMES);
    for (const name of ['b', 'c', 'd'])
      fixture.topic(name, 'picky', { validate: () => 'ignore', limit: 100 });
    const picky = fixture.topic('a', 'picky');
    await fixture.acquainted('a', 3, 'picky');
    const reasonOf = async (message: string, to: readonly string[]) => {
      const error = (await t.throwsAsync(picky.publish(message, { to, min: 1 }))) as TransportError;
      t.is(error.code, 'unavailable');
      return error.cause as TransportError;
    };
    const ignored = await reasonOf('x', [fixture.idOf('b')]);
    t.like(ignored, { code: 'failed_precondition', target: fixture.idOf('b'), origin: 'remote' });
    t.regex(ignored.message, /its validator ignores the message \(ignored\)/u);
    t.is((await reasonOf('x'.repeat(200), [fixture.idOf('c')])).reason, 'too_large');
    t.is((await reasonOf('x', [idOf('nobody')])).code, 'unavailable');
    // Tries all of them, one after the other.
    await t.throwsAsync(picky.publish('x', { any: 1, min: 1, timeout: 60_000 }), {
      message:
        /^publish: 0 of 1 peers can confirm it; it is queued for 0; 3 failed, the first because node/u,
    });
  });

  test('a node that is lost before it confirms a message does not count', async (t, fixture) => {
    await fixture.meet(['a', 'b', 'c']);
    fixture.topic('b', 'slow');
    const validate = () => new Promise<never>(() => {});
    fixture.topic('c', 'slow', { validate, validateTimeout: 600_000 });
    const slow = fixture.topic('a', 'slow');
    await fixture.acquainted('a', 2, 'slow');
    const list = fixture.idsOf('b', 'c');
    t.is((await slow.publish('x', { to: list, min: 1 })).received, 1);
    const both = slow.publish('x', { to: list, min: 2, timeout: 600_000 });
    const { gossip } = fixture.node('c');
    await fixture.until('the message has arrived at c', () =>
      gossip.snapshot().topics.some(({ validating }) => validating > 1),
    );
    const failed = t.throwsAsync(both, {
      code: 'unavailable',
      message: /^publish: 1 of 2 peers can confirm it.*was lost/u,
    });
    await fixture.crash('c');
    fixture.subscribers.delete('c');
    await failed;
  });
}
