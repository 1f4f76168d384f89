// Tests of messages to a list of nodes, and to any members of a topic.

import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Publisher } from './publisher.ts';
import type { TopicContext } from './topic-context.ts';

test('a member that fails twice is replaced once', (t) => {
  const sent: string[] = [];
  let lose: (() => void) | undefined;
  const publisher = publisherOf(
    {
      random: seededRandom(1),
      members: { interested: () => ['a', 'b', 'c'] },
      isDistrusted: () => false,
      dueBy: () => {},
    },
    (to: string, _: unknown, lost: () => void) => {
      sent.push(to);
      lose ??= lost;
    },
  );
  const options = { to: undefined, except: undefined, any: 1, min: 1, timeout: 1_000 };
  void publisher.publish(new Uint8Array(1), options);
  const [first] = sent as [string];
  lose!();
  t.is(sent.length, 2, 'its message has not left');
  publisher.peerDown(first, new TransportError('unavailable', 'its connection is lost'));
  t.is(sent.length, 2);
});

test('a publication is over at once if the message to another member cannot be signed', async (t) => {
  const signing = ['works', 'fails'];
  let lose: (() => void) | undefined;
  const publisher = publisherOf(
    {
      random: seededRandom(1),
      members: { interested: () => ['a', 'b'] },
      isDistrusted: () => false,
      dueBy: () => {},
      signatures: {
        checkPublisher: () => {},
        sign: () => {
          if (signing.shift() === 'fails') throw new Error('the key is locked');
        },
      },
    },
    (_to: string, _push: unknown, lost: () => void) => {
      lose = lost;
    },
  );
  const options = { to: undefined, except: undefined, any: 1, min: 1, timeout: 1_000 };
  const result = publisher.publish(new Uint8Array(1), options) as Promise<unknown>;
  await new Promise((resolve) => setImmediate(resolve));
  t.is(publisher.due, 1_000);
  lose!();
  await t.throwsAsync(result, { message: 'the key is locked' });
  t.is(publisher.due, Number.POSITIVE_INFINITY);
});

test('a message that is sent to its whole list at once leaves nothing to wake up for', async (t) => {
  const dues: number[] = [];
  const publisher = publisherOf({
    members: { isOn: () => true },
    relay: () => false,
    dueBy: (time: number) => dues.push(time),
  });
  const options = { to: ['a'], except: undefined, any: undefined, timeout: 500 };
  const publish = (min: number) => publisher.publish(new Uint8Array(1), { ...options, min });
  t.deepEqual(await publish(0), { queued: 1 });
  t.deepEqual(dues, []);
  void publish(1);
  t.deepEqual(dues, [500]);
});

test('each message gets a new id; in a new life, they count from 0', (t) => {
  const ids: unknown[] = [];
  let epoch = 7;
  const publisher = publisherOf(
    { members: { isOn: () => true }, relay: () => false },
    (_to: string, { id }: { id: object }) => void ids.push(id),
    { epoch: () => epoch },
  );
  const options = { to: ['a'], except: undefined, any: undefined, min: 0, timeout: 500 };
  for (const life of [7, 7, 8]) {
    epoch = life;
    void publisher.publish(new Uint8Array(1), options);
  }
  t.deepEqual(ids, [
    { origin: 'me', epoch: 7, sequence: 0 },
    { origin: 'me', epoch: 7, sequence: 1 },
    { origin: 'me', epoch: 8, sequence: 0 },
  ]);
  t.true(publisher.hasPublished({ origin: 'me', epoch: 8, sequence: 0 }));
  t.false(publisher.hasPublished({ origin: 'me', epoch: 8, sequence: 1 }));
});

test('if a neighbor refuses a message, another one gets it', (t) => {
  const offered: string[] = [];
  const parts = { members: { pending: () => [] }, dueBy: () => {} };
  const publisher = publisherOf(parts, undefined, {
    overlay: { neighbors: () => ['a', 'b'] },
    spread: () => ({ to: ['a'], failed: [] }),
    offer: (peer: string) => offered.push(peer) > 0,
  });
  const options = { to: undefined, except: undefined, any: undefined, min: 1, timeout: 1_000 };
  void publisher.publish(new Uint8Array(1), options);
  publisher.receipt({ origin: 'me', epoch: 1, sequence: 0 }, 'a', 'ignored');
  t.deepEqual(offered, ['b']);
});

/** Returns the publisher of a topic, on a node with these parts; `push` takes its messages. */
function publisherOf(
  parts: object,
  push: (...sent: any[]) => void = () => {},
  others: object = {},
): Publisher {
  const node = {
    self: 'me',
    longest: 100,
    isStarted: true,
    overlay: { receipts: 5 },
    signatures: { checkPublisher: () => {}, sign: () => undefined },
    clock: { now: () => 0 },
    ...parts,
  };
  const key = { hex: '00', name: 'topic' };
  const topic = { key, limit: 100, epoch: () => 1, takes: () => true, push, node, ...others };
  return new Publisher(topic as unknown as TopicContext);
}
