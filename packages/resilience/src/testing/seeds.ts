// The seeds with which repeated tests run, depending on the environment.

import process from 'node:process';

/**
 * Returns the seeds of a repeated test: 1 to `count` in a full run, when TRUNKLINE_TEST_SEEDS is
 * `all`. A quick run takes a tenth of them, at least one. If TRUNKLINE_TEST_SEEDS is a number, it
 * selects the tenth; the default is the first.
 */
export function seeds(count: number): number[] {
  const given = process.env['TRUNKLINE_TEST_SEEDS'] ?? '1';
  if (given === 'all') return Array.from({ length: count }, (_, i) => i + 1);
  const size = Math.ceil(count / 10);
  return Array.from({ length: size }, (_, i) => (((Number(given) - 1) * size + i) % count) + 1);
}
