// Tests of detecting silence.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { StallDetector } from './partial-view.ts';

/** Calls `isLong` in steps of 100 ms, and returns the times at which it reports a silence. */
function told(stallDetector: StallDetector, from: number, to: number, isPressed = false): number[] {
  const times: number[] = [];
  for (let now = from; now < to; now += 100)
    if (stallDetector.isLong(now, isPressed)) times.push(now - from);
  return times;
}

test('if no peer ever sent a message there is no silence', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  stallDetector.gone('a', 0);
  t.is(stallDetector.due, Number.POSITIVE_INFINITY);
  t.deepEqual(told(stallDetector, 0, 1_000_000), []);
});

test('after messages stop, the silence is reported after 10 s, then less and less often', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  for (let now = 0; now <= 5_000; now += 1_000) stallDetector.heard('a', now);
  const times = told(stallDetector, 5_000, 205_000);
  t.is(times[0], 10_000);
  t.true(times.length >= 4 && times.length <= 5, times.join());
  for (let i = 2; i < times.length; i++)
    t.true(times[i]! - times[i - 1]! > 1.5 * (times[i - 1]! - times[i - 2]!), times.join());
});

test('if messages are rare, it takes longer until silence is reported', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  for (let now = 0; now <= 6_000_000; now += 60_000) {
    stallDetector.heard('a', now);
    if (now > 3_000_000) t.deepEqual(told(stallDetector, now, now + 60_000), []);
  }
});

test('when the last sender is gone, the silence is reported at once', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  stallDetector.heard('a', 0);
  stallDetector.heard('b', 0);
  stallDetector.gone('a', 1_000);
  stallDetector.gone('taker', 1_000);
  t.false(stallDetector.isLong(2_000, false));
  stallDetector.gone('b', 2_000);
  t.true(stallDetector.isLong(2_600, false));
  t.false(stallDetector.isLong(2_700, false));
});

test('if many nodes request links, the silence is reported every 10 s', (t) => {
  const stallDetector = new StallDetector(seededRandom(1));
  stallDetector.heard('a', 0);
  const { length } = told(stallDetector, 0, 100_000, true);
  t.true(length >= 8 && length <= 11, `${length}`);
});
