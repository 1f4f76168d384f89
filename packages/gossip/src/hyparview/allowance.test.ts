// Tests of the rate limit.

import test from 'ava';
import { Allowance } from './allowance.ts';

test('an allowance permits a burst, then one per interval, and is scarce until half of the burst is back', (t) => {
  const allowance = new Allowance(4, 100, 0);
  t.deepEqual(
    [1, 2, 3, 4, 5].map(() => allowance.take(0)),
    [true, true, true, true, false],
  );
  t.false(allowance.take(99));
  t.true(allowance.take(100));
  t.false(allowance.take(150));
  t.true(allowance.isScarce(299));
  t.false(allowance.isScarce(300));
  // More than the burst is never allowed at once, no matter how long the limiter was unused. While
  // the clock stands still, no further action is allowed.
  t.is([1, 2, 3, 4, 5, 6].filter(() => allowance.take(1e9)).length, 4);
});
