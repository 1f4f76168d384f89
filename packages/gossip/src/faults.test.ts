// Tests of network faults that hit the messages of a topic on the way to one recipient but not to
// another.

import { partialView } from './overlay/partial-view.ts';
import { gossipProtocol } from './protocol.ts';
import { blameOf, dropsOf, meet as meetOf, type Run, runs } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import test from './testing/serial.ts';

const NAMES = ['a', 'b', 'c'];

const meet = (run: Run, { isSigned = false, isTree = false } = {}) =>
  meetOf(run, NAMES, {
    gossip: (name) => ({
      ...(isSigned ? { signatures: { identity: identityOf(name) } } : {}),
      ...(isTree ? { overlay: partialView() } : {}),
    }),
    peers: (name) => (isSigned ? { identity: identityOf(name) } : {}),
  });

test(
  'a message that is corrupted on the way to one node is intact for the others',
  async (t) => {
    for (const isSigned of [false, true]) {
      const { sim, subscriber, node } = await meet(t.context, { isSigned, isTree: true });
      let garbled = 0;
      const remove = sim.intercept(({ from, to, protocol, method, value }) => {
        if (protocol !== gossipProtocol.name || method !== 'push' || to !== 'b') return 'pass';
        // The corrupted copy arrives first.
        if (from !== 'a') return { delay: 10 };
        garbled++;
        const frame = value as Uint8Array;
        // The second-to-last byte of the payload lies within the quotes.
        return { mutate: frame.with(-2, frame.at(-2)! ^ 1) };
      });
      await sim.settle(subscriber('a').topic.publish('hello'));
      await sim.run(50);
      remove();
      await sim.run(3_000);
      t.true(garbled > 0);
      t.deepEqual(subscriber('c').words, ['hello']);
      // b gets the message from c as well. If it is unsigned, the first content under an id is
      // valid, and the other is a duplicate.
      t.is(subscriber('b').words.length, 1);
      if (isSigned)
        t.deepEqual([subscriber('b').words, dropsOf(node('b'))], [['hello'], ['forged']]);
      else t.deepEqual(blameOf(node('b')), []);
      t.false(blameOf(node('c')).includes('forged'), 'b forwarded nothing that was corrupted');
      t.deepEqual(await sim.close(), []);
    }
  },
  runs(1, ['message']),
);

test('a message that is held back for one node arrives when released; the others do not wait', async (t) => {
  const { sim, subscriber } = await meet(t.context);
  sim.inject({ do: 'hold', from: 'a', to: 'b', direction: 'one-way' });
  await sim.settle(subscriber('a').topic.publish('first'));
  await sim.settle(subscriber('a').topic.publish('second'));
  await sim.run(500);
  t.deepEqual([subscriber('b').words, subscriber('c').words], [[], ['first', 'second']]);
  sim.inject({ do: 'release', from: 'a', to: 'b', direction: 'one-way' });
  await sim.run(500);
  t.deepEqual(subscriber('b').words, ['first', 'second']);
}, 1);

test('a node that hangs gets the messages when it continues; the others do not wait for it', async (t) => {
  const { sim, subscriber } = await meet(t.context);
  sim.pause('b', 2_000);
  await sim.settle(subscriber('a').topic.publish('hello'));
  await sim.run(500);
  t.deepEqual([subscriber('b').words, subscriber('c').words], [[], ['hello']]);
  await sim.run(3_000);
  t.deepEqual(subscriber('b').words, ['hello']);
}, 1);

test(
  'under random bit errors in the streams, every signed message that is delivered is authentic, and new connections recover',
  async (t) => {
    t.timeout(60_000);
    const { sim, met, subscriber, subscribers } = await meet(t.context, { isSigned: true });
    const said = new Set<string>();
    for (const from of NAMES)
      for (const to of NAMES) if (from < to) sim.link(from, to, { corrupt: 0.05 });
    for (let i = 0; i < 150; i++) {
      const name = NAMES[i % 3]!;
      said.add(`${name} says ${i}`);
      await sim.settle(subscriber(name).topic.publish(`${name} says ${i}`));
      await sim.run(50);
    }
    sim.heal();
    // In plain bytes, a wrong bit in a hello or in a list of topics can't be detected, so its
    // damage lasts as long as the connection.
    for (const from of NAMES) for (const to of NAMES) if (from < to) sim.reset(from, to);
    await sim.run(1);
    await met();
    for (const { heard, words } of subscribers.values()) {
      t.true(heard.length < 100, 'some were lost');
      for (const { message, meta } of heard) {
        t.true(said.has(message) && meta.signed, message);
        t.is(meta.origin, identityOf(message[0]!).nodeId);
      }
      t.is(new Set(words).size, words.length);
    }
    await sim.settle(subscriber('a').topic.publish('whole again'));
    await sim.run(500);
    for (const name of ['b', 'c']) t.is(subscriber(name).words.at(-1), 'whole again');
  },
  runs(3, ['stream']),
);
