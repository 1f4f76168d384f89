// Tests how a receiver counts missing, duplicate and foreign messages.

import test from 'ava';
import { Receiver, writeMessage } from './stage.ts';

test('missing, duplicate and misplaced messages are reported', async (t) => {
  const receiver = new Receiver(10, 4);
  for (const sequence of [9, 10, 12, 12, 13, 14]) receiver.take(writeMessage(sequence, 32));
  const { wrong, delays } = await receiver.end(1);
  t.deepEqual([delays.length, wrong], [3, 3]);
});

test('the end does not wait if everything has arrived', async (t) => {
  const receiver = new Receiver(0, 2);
  const end = receiver.end(1_000_000);
  for (const sequence of [1, 0]) receiver.take(writeMessage(sequence, 16));
  t.is((await end).delays.length, 2);
});
