// The pause before a worker is started again.

import type { Random } from '@trunkline/transport-core';

/**
 * Returns the number of milliseconds to wait after `failures` (at least 1) consecutive failures.
 * The pause is 100 ms after the first failure, and doubles up to 30 s. It is shortened by up to a
 * half at random, so that workers that failed for the same reason do not all start at the same
 * moment.
 */
export function backOff(failures: number, random: Random): number {
  const most = Math.min(FIRST * 2 ** (failures - 1), LAST);
  return most * (1 - random() / 2);
}

const FIRST = 100;
const LAST = 30_000;
