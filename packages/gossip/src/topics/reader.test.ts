// Tests of a reader's queue, which is limited in messages and bytes once the reader has had its
// turn.

import { bytes as codec, TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { MessageMeta, QueuePolicy, ReceivedMessage, TopicQueueOptions } from '../types.ts';
import { LoopReader, type ReaderTopic } from './reader.ts';

const META: MessageMeta = { id: 'x', origin: 'a', signed: false, from: 'a', hops: 1, missed: 0 };

function topicOf(clock: object, tell: (event: { missed: number }) => void = () => {}): ReaderTopic {
  const node = { clock, events: { tell } };
  return { key: { name: 'news' }, node, incoming: { removeReader() {} } } as never;
}

function reader(options: TopicQueueOptions) {
  const clock = createManualClock();
  const lagged: number[] = [];
  const loop = new LoopReader(
    { messages: 4, bytes: 1_000, ...options },
    codec,
    topicOf(clock, ({ missed }) => void lagged.push(missed)),
  );
  return {
    loop,
    clock,
    lagged,
    offer(from: number, to: number, each = 1) {
      for (let i = from; i <= to; i++) loop.offer(i, META, each);
    },
    /** Lets the reader have its turn. */
    turn: () => clock.advance(0),
    async drain() {
      const read: [unknown, number][] = [];
      while (loop.state.waiting > 0) {
        const { message, meta } = (await loop.next()).value as ReceivedMessage<unknown>;
        read.push([message, meta.missed]);
      }
      return read;
    },
  };
}

test('messages of one turn wait until the reader had its turn; only then is the queue cut', async (t) => {
  const { loop, lagged, offer, turn, drain } = reader({ messages: 2 });
  offer(1, 100);
  t.is(loop.state.waiting, 100);
  t.is((await drain()).length, 100);
  turn();
  t.deepEqual(loop.state, { waiting: 0, bytes: 0, missed: 0 });
  offer(1, 10);
  turn();
  t.deepEqual(loop.state, { waiting: 2, bytes: 2, missed: 8 });
  t.deepEqual(lagged, [1, 2, 4, 8]);
  t.deepEqual(await drain(), [
    [9, 8],
    [10, 0],
  ]);
});

test('the queue is limited in bytes, too; one message is always accepted, however long', async (t) => {
  const { loop, offer, turn, drain } = reader({ messages: 100, bytes: 50 });
  offer(1, 7, 20);
  turn();
  t.deepEqual(loop.state, { waiting: 2, bytes: 40, missed: 5 });
  offer(8, 8, 10_000);
  turn();
  t.deepEqual(await drain(), [[8, 7]]);
});

test('the newest are dropped if the policy says so, and the next one reports it; a blocking reader keeps many times more', async (t) => {
  const newest = reader({ policy: 'drop-newest' });
  newest.offer(1, 10);
  newest.turn();
  const kept = (await newest.drain()).map(([message]) => message);
  t.deepEqual(kept, [1, 2, 3, 4]);
  newest.offer(11, 11);
  t.deepEqual(await newest.drain(), [[11, 6]]);
  const block = reader({ policy: 'block', messages: 300, bytes: 10_000 });
  block.offer(1, 5_000);
  block.turn();
  t.deepEqual(block.loop.state, { waiting: 4_800, bytes: 4_800, missed: 200 });
  block.offer(1, 5_000, 20);
  block.turn();
  t.is(block.loop.state.waiting, 4_800);
  await block.drain();
  block.offer(1, 5_000, 20);
  block.turn();
  t.is(block.loop.state.bytes, 40_000);
});

test('a turn that never ends is limited, too', (t) => {
  for (const [policy, kept] of [
    ['drop-oldest', 16_388],
    ['drop-newest', 16_388],
    ['error', 0],
  ] as const satisfies [QueuePolicy, number][]) {
    const { loop, offer } = reader({ policy });
    offer(1, 20_000);
    t.is(loop.state.waiting, kept, policy);
    t.is(loop.isOver, policy === 'error');
  }
  const { loop, offer } = reader({ bytes: 1 });
  offer(1, 40, 1024 * 1024);
  t.is(loop.state.waiting, 16);
});

test('a reader that had its turn and still lags ends if its policy says so, and leaves no timer', async (t) => {
  const { loop, clock, offer, turn } = reader({ messages: 2, policy: 'error' });
  offer(1, 3);
  turn();
  await t.throwsAsync(loop.next(), {
    instanceOf: TransportError,
    code: 'resource_exhausted',
    message: /3 messages of 3 bytes wait for it \(queue\)/,
  });
  t.true((await loop.next()).done);
  const closed = reader({ messages: 2, policy: 'error' });
  closed.offer(1, 3);
  closed.loop.close();
  t.deepEqual([clock.timers, closed.clock.timers], [0, 0]);
  t.true((await closed.loop.next()).done);
});
