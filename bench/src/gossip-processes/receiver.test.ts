// Tests how a receiver counts missing, duplicate and foreign messages.

import test from 'ava';
import { writeMessage } from './message.ts';
import { Receiver } from './receiver.ts';

test('missing, duplicate and misplaced messages are reported', async (t) => {
  const receiver = new Receiver(10, 4);
  for (const sequence of [9, 10, 12, 12, 13, 14]) receiver.take(writeMessage(sequence, 32));
  const { received, twice, strange, delays } = await receiver.end(1);
  t.deepEqual([received, twice, strange], [3, 1, 2]);
  t.is(
    delays.counts.reduce((sum, [, count]) => sum + count, 0),
    3,
  );
});

test('the end does not wait if everything has arrived', async (t) => {
  const receiver = new Receiver(0, 2);
  const end = receiver.end(1_000_000);
  for (const sequence of [1, 0]) receiver.take(writeMessage(sequence, 16));
  t.is((await end).received, 2);
});
