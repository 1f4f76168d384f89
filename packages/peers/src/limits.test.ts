// Tests of the limits of what peers may do.

import test from 'ava';
import { PeerLimits, RateLimit } from './limits.ts';

test('a rate limit permits a burst, then one per interval, and is scarce until half of the burst is back', (t) => {
  const limit = new RateLimit(4, 100);
  for (let i = 1; i <= 5; i++) t.is(limit.tryTake(0), i <= 4);
  const taken = [99, 100, 150].map((now) => limit.tryTake(now));
  t.deepEqual(taken, [false, true, false]);
  t.deepEqual([limit.isScarce(299), limit.isScarce(300)], [true, false]);
  // More than the burst is never allowed at once, no matter how long the limiter was unused. While
  // the clock stands still, no further action is allowed.
  t.is([1, 2, 3, 4, 5, 6].filter(() => limit.tryTake(1e9)).length, 4);
});

const setUp = () => {
  let made = 0;
  return new PeerLimits(() => ++made);
};

test('a node that proved its id finds its limits again; one that only asserted it gets new ones', (t) => {
  const limits = setUp();
  t.deepEqual([limits.of('a', 0), limits.of('b', 0), limits.of('a', 1)], [1, 2, 1]);
  limits.gone('a', true, 2);
  limits.gone('b', false, 2);
  t.deepEqual([limits.of('a', 3), limits.of('b', 3)], [1, 3]);
});

test('limits are forgotten two minutes after the last connection that used them', (t) => {
  const limits = setUp();
  t.is(limits.of('a', 0), 1);
  limits.gone('a', true, 0);
  t.is(limits.of('a', 119_999), 1);
  limits.gone('a', true, 119_999);
  limits.gone('a', true, 200_000); // A connection in between that used none.
  t.is(limits.of('a', 239_999), 2);
});

test('at most 4,096 absent nodes are remembered; the one that left first is forgotten first', (t) => {
  const limits = setUp();
  for (let i = 0; i <= 4_096; i++) {
    limits.of(`n${i}`, i);
    limits.gone(`n${i}`, true, i);
  }
  t.is(limits.size, 4_096);
  t.is(limits.of('n1', 5_000), 2);
  t.is(limits.of('n0', 5_000), 4_098);
  limits.gone('n1', true, 300_000);
  t.is(limits.size, 1, 'those whose time is over are forgotten');
});
