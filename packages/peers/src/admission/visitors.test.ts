// Tests of the limits on visits to a full node.

import test from 'ava';
import { Visitors } from './admission.ts';

test('a hundred visits are admitted at once, then a hundred per second', (t) => {
  const visitors = new Visitors(10_000);
  const take = (from: number, now: number) =>
    Array.from({ length: 200 }, (_, i) => visitors.take(`${from + i}`, 0, now)).filter(Boolean)
      .length;
  t.is(take(0, 0), 100);
  t.is(take(1_000, 500), 50);
  t.is(take(2_000, 10_000), 100);
});

test('a visitor that got addresses may return after its pause, and at most 64 visitors are there at once', (t) => {
  const visitors = new Visitors(10_000);
  t.true(visitors.take('a', 0, 0));
  t.true(visitors.take('a', 0, 0), 'its first visit did not succeed');
  visitors.told('a', 0);
  t.false(visitors.take('a', 0, 9_999));
  t.true(visitors.take('a', 0, 10_000));
  t.true(visitors.take('b', 63, 10_000));
  t.false(visitors.take('c', 64, 10_000));
});

test('the list of visitors remembers only the nodes of one pause', (t) => {
  const visitors = new Visitors(10_000);
  for (let now = 0; now < 60_000; now++)
    if (visitors.take(`n${now}`, 0, now)) visitors.told(`n${now}`, now);
  t.true(visitors.size <= 1_101, String(visitors.size));
});
