// Tests that the right seeds are counted when seeds end in any order.

import test from 'ava';
import type { FailedRun } from './failure.ts';
import { SeedTally } from './seed-tally.ts';

const run = {} as FailedRun;

test('seeds are handed out in order until enough have failed', (t) => {
  const tally = new SeedTally([2, 4, 6, 8, 10], 1);
  t.deepEqual(tally.next(2), [2, 4]);
  t.deepEqual(tally.next(1), [6]);
  tally.add({ seed: 6, virtual: 1, failed: run });
  t.deepEqual(tally.next(2), []);
});

test('seeds after the last failure that counts are left out, whatever order they ended in', (t) => {
  for (const order of [
    [1, 2, 3, 4],
    [4, 3, 2, 1],
    [3, 1, 4, 2],
  ]) {
    const tally = new SeedTally([1, 2, 3, 4, 5], 1);
    tally.next(4);
    for (const seed of order)
      tally.add({ seed, virtual: 3_600_000 * seed, failed: seed >= 3 ? run : undefined });
    t.deepEqual(tally.result(), {
      passed: 2,
      failures: [{ place: 2, seed: 3, run }],
      virtualHours: 6,
    } as never);
    t.deepEqual([tally.done, tally.failed, tally.virtualHours], [4, 2, 10]);
  }
});
