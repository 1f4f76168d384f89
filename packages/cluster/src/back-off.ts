// The pause before a worker is started again.

import type { Random } from '@trunkline/transport-core';

/**
 * Returns the milliseconds to wait after a number of failures in a row, at least 1: 100 ms,
 * doubling up to 30 s, of which up to half is left out at random, so that workers that fail for one
 * reason do not start at one moment.
 */
export function backOff(failures: number, random: Random): number {
  const most = Math.min(FIRST * 2 ** (failures - 1), LAST);
  return most * (1 - random() / 2);
}

const FIRST = 100;
const LAST = 30_000;
