// The seeds of repeated tests, chosen by the environment variable TRUNKLINE_TEST_SEEDS.

import process from 'node:process';

/**
 * Returns the seeds of a repeated test: 1 to `count` in a full run (TRUNKLINE_TEST_SEEDS is `all`).
 * A quick run takes one tenth of them, at least one: the first tenth by default, or the tenth whose
 * number is given in TRUNKLINE_TEST_SEEDS.
 */
export function seeds(count: number): number[] {
  const given = process.env['TRUNKLINE_TEST_SEEDS'] ?? '1';
  if (given === 'all') return Array.from({ length: count }, (_, i) => i + 1);
  const size = Math.ceil(count / 10);
  return Array.from({ length: size }, (_, i) => (((Number(given) - 1) * size + i) % count) + 1);
}
