// Tests the heap of deadlines: its order, and sweeping.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { Deadlines } from './deadlines.ts';

test('entries come out by their times, whatever the order in which they came', (t) => {
  const random = seededRandom(7);
  const deadlines = new Deadlines<number>();
  const times = Array.from({ length: 500 }, () => Math.floor(random() * 200));
  for (const time of times) deadlines.add(time, time);
  t.is(deadlines.size, 500);
  const out: number[] = [];
  while (deadlines.size > 0) {
    t.is(deadlines.next, deadlines.first!);
    out.push(deadlines.shift()!);
  }
  t.deepEqual(
    out,
    times.sort((a, b) => a - b),
  );
  t.is(deadlines.shift(), undefined);
  t.is(deadlines.next, Number.POSITIVE_INFINITY);
});

test('a sweep keeps what lives, in order', (t) => {
  const deadlines = new Deadlines<number>();
  for (let i = 0; i < 100; i++) deadlines.add(i, (i * 37) % 100);
  deadlines.sweep((entry, time) => entry % 2 === 0 && time < 50);
  const out: number[] = [];
  for (let before = -1; deadlines.size > 0; ) {
    t.true(deadlines.next >= before);
    before = deadlines.next;
    out.push(deadlines.shift()!);
  }
  t.is(out.length, 25);
  t.true(out.every((entry) => entry % 2 === 0 && (entry * 37) % 100 < 50));
});
