// Behaviors of delivery: which nodes get a message.

import { isNodeId } from '@trunkline/transport-core/backend';
import { idOf } from '../cluster.ts';
import { type DeclareTest, inOrder, numbers } from './gossip-fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];

export function recipients(test: DeclareTest): void {
  test('a message reaches every member of its topic but the publisher once, with its origin', async (t, fixture) => {
    await fixture.meet(NAMES);
    const { queued, failed } = await fixture.publish('a', 'hello');
    t.true(fixture.isMesh ? queued === 3 : queued >= 1 && queued <= 3);
    t.is(failed, undefined);
    const others = ['b', 'c', 'd'];
    await fixture.heard('hello', others);
    // A second delivery would have happened by now.
    await fixture.publish('a', 'later');
    await fixture.heard('later', others);
    for (const name of others) {
      t.deepEqual(inOrder(fixture, fixture.words(name)), ['hello', 'later'], name);
      const { id, origin, from, hops, missed } = fixture.subscriber(name).heard[0]!.meta;
      t.deepEqual([origin, missed, isNodeId(origin)], [fixture.idOf('a'), 0, true]);
      t.true(
        id.length > 0 &&
          (fixture.isMesh ? from === origin && hops === 1 : (from === origin) === (hops === 1)),
        `${name}: ${hops} hops`,
      );
    }
    t.deepEqual(fixture.words('a'), [], 'its own');
    const ids = others.flatMap((name) =>
      fixture.subscriber(name).heard.map(({ message, meta }) => `${message} ${meta.id}`),
    );
    t.is(new Set(ids).size, 2, 'the same id everywhere');
  });

  test('equal contents are two messages; those of one publisher keep their order along one path', async (t, fixture) => {
    await fixture.meet(NAMES.slice(0, 3));
    const sent = numbers(300).map((number) => String(Number(number) % 7));
    for (const word of sent) void fixture.publish('a', word);
    for (const name of ['b', 'c']) {
      const { words } = fixture.subscriber(name);
      await fixture.until(`${name} has read all messages`, () => words.length >= sent.length);
      t.deepEqual(inOrder(fixture, words), inOrder(fixture, sent), name);
    }
  });

  test('a message may go to a list of recipients, or to all but a list; the others do not get it', async (t, fixture) => {
    await fixture.meet(NAMES);
    await fixture.acquainted('a', 3);
    const [a, b, c] = fixture.idsOf('a', 'b', 'c') as [string, string, string];
    t.deepEqual(await fixture.publish('a', 'to', { to: [b, c, b, a] }), { queued: 2 });
    const { queued } = await fixture.publish('a', 'except', { except: [b] });
    t.true(fixture.isMesh ? queued === 2 : queued <= 2);
    await fixture.heard('to', ['b', 'c']);
    await fixture.heard('except', ['c', 'd']);
    await fixture.publish('a', 'all');
    await fixture.heard('all', ['b', 'c', 'd']);
    t.deepEqual(
      NAMES.map((name) => [...fixture.words(name)].sort().join()),
      ['', 'all,to', 'all,except,to', 'all,except'],
    );
    await t.throwsAsync(fixture.publish('a', 'both', { to: [], except: [] }), {
      instanceOf: TypeError,
      message: /exclude each other/,
    });
    await t.throwsAsync(fixture.publish('a', 'no id', { to: ['nobody'] }), {
      instanceOf: TypeError,
      message: /to: must be a list/,
    });
  });

  test('unknown recipients, and those not on the topic, are reported; the rest get the message', async (t, fixture) => {
    await fixture.meet(NAMES, { listens: (name) => name !== 'd' });
    await fixture.until('a has three peers', () => fixture.node('a').peers.list().length === 3);
    await fixture.acquainted('a', 2);
    const [b, c, d] = fixture.idsOf('b', 'c', 'd') as [string, string, string];
    const { queued, failed } = await fixture.publish('a', 'x', { to: [idOf('nobody'), b, d, c] });
    t.is(queued, 2);
    const codes = Object.fromEntries(failed!.map(({ nodeId, error }) => [nodeId, error.code]));
    t.deepEqual(codes, { [idOf('nobody')]: 'unavailable', [d]: 'not_found' });
    await fixture.heard('x', ['b', 'c']);
    await t.throwsAsync(fixture.publish('a', 'y', { to: [d], min: 1 }), { code: 'unavailable' });
  });
}
