// Tests of the publisher of a topic: the ids of messages, messages to a list of nodes or to any
// members, and messages that a neighbor refuses.

import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Publisher } from './publisher.ts';
import type { TopicContext } from './topic-context.ts';

const DEFAULTS = { to: undefined, except: undefined, any: undefined, timeout: 1_000 };

test('a member that fails twice is replaced once', (t) => {
  const { publisher, publish, sent } = scene();
  void publish({ any: 1, min: 1 });
  const [first] = sent as [Sent];
  first.lost();
  t.is(sent.length, 2, 'its message has not left');
  publisher.peerDown(first.to, new TransportError('unavailable', 'it is gone'));
  t.is(sent.length, 2);
});

test('a publication is over at once if the message to another member cannot be signed', async (t) => {
  const { publisher, publish, sent } = scene({}, 1);
  const result = publish({ any: 1, min: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  t.is(publisher.due, 1_000);
  sent[0]!.lost();
  await t.throwsAsync(result, { message: 'the key is locked' });
  t.is(publisher.due, Number.POSITIVE_INFINITY);
});

test('a message to any node that waits for a first one fails at its timeout, and is not sent later', async (t) => {
  const members: string[] = [];
  const { publisher, publish, sent } = scene({}, 9, members);
  const result = publish({ any: 1, min: 1 });
  publisher.wake(publisher.due);
  members.push('a');
  publisher.peerUp('a');
  await t.throwsAsync(result, { code: 'deadline_exceeded' });
  t.deepEqual(sent, []);
});

test('a message that is sent to its whole list at once leaves nothing to wake up for', async (t) => {
  const { publish, dues } = scene();
  t.deepEqual(await publish({ to: ['a'], min: 0 }), { queued: 1 });
  t.deepEqual(dues, []);
  void publish({ to: ['a'], min: 1 });
  t.deepEqual(dues, [1_000]);
});

test('each message gets a new id; in a new life, they count from 0', (t) => {
  const life = { epoch: 7 };
  const { publisher, publish, sent } = scene({ life });
  for (life.epoch of [7, 7, 8]) void publish({ to: ['a'], min: 0 });
  const ids = sent.map(({ id }) => id);
  t.deepEqual(ids, [
    { origin: 'me', epoch: 7, sequence: 0 },
    { origin: 'me', epoch: 7, sequence: 1 },
    { origin: 'me', epoch: 8, sequence: 0 },
  ]);
  t.true(publisher.hasPublished({ origin: 'me', epoch: 8, sequence: 0 }));
  t.false(publisher.hasPublished({ origin: 'me', epoch: 8, sequence: 1 }));
});

test('a message that cannot be signed again in a new life fails', async (t) => {
  const spread = () => ({ to: [], failed: [] });
  const { publisher, publish } = scene({ spread }, 1);
  const result = publish({ min: 1 });
  publisher.renew();
  await t.throwsAsync(result, { message: 'the key is locked' });
});

test('if a neighbor refuses a message, another one gets it', (t) => {
  const offered: string[] = [];
  const { publisher, publish } = scene({
    overlay: { neighbors: () => ['a', 'b'] },
    spread: () => ({ to: ['a'], failed: [] }),
    offer: (peer: string) => offered.push(peer) > 0,
  });
  void publish({ min: 1 });
  publisher.receipt({ origin: 'me', epoch: 1, sequence: 0 }, 'a', 'ignored');
  t.deepEqual(offered, ['b']);
});

interface Sent {
  readonly to: string;
  readonly id: unknown;
  readonly lost: () => void;
}

/** The publisher of a topic with these members, what it sends, and `most` signatures of it. */
function scene(topic: object = {}, most = 9, members = ['a', 'b', 'c']) {
  const sent: Sent[] = [];
  const dues: number[] = [];
  let signed = 0;
  const sign = () => {
    if (signed++ === most) throw new Error('the key is locked');
  };
  const node = {
    self: 'me',
    longest: 100,
    isStarted: true,
    overlay: { receipts: 5 },
    signatures: { checkPublisher: () => {}, sign },
    clock: { now: () => 0 },
    random: seededRandom(1),
    members: { interested: () => members, isOn: () => true, pending: () => [] },
    isDistrusted: () => false,
    relay: () => false,
    dueBy: (time: number) => dues.push(time),
  };
  const key = { hex: '00', name: 'topic' };
  const push = (to: string, { id }: { id: unknown }, lost: () => void) =>
    void sent.push({ to, id, lost });
  const parts = { key, limit: 100, life: { epoch: 1 }, takes: () => true, push, node, ...topic };
  const publisher = new Publisher(parts as unknown as TopicContext);
  const publish = async (options: { to?: string[]; any?: number; min: number }) =>
    publisher.publish(new Uint8Array(1), { ...DEFAULTS, ...options });
  return { publisher, publish, sent, dues };
}
