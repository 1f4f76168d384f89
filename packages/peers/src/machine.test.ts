// Tests of the queue of a state machine's outputs.

import test from 'ava';
import { OutputQueue } from './machine.ts';

test('outputs are taken in the order in which they were added, also between takes', (t) => {
  const queue = new OutputQueue<number>();
  t.is(queue.poll(), undefined);
  for (const value of [1, 2, 3]) queue.add(value);
  t.is(queue.poll(), 1);
  queue.add(4);
  t.deepEqual([queue.poll(), queue.poll(), queue.poll(), queue.poll()], [2, 3, 4, undefined]);
  queue.add(5);
  t.deepEqual([queue.poll(), queue.poll()], [5, undefined]);
});
