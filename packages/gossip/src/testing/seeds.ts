// The seeds of tests that are repeated with random input.

import process from 'node:process';

/**
 * Returns the seeds of a repeated test: 1 to `count` in a full run (TRUNKLINE_TEST_SEEDS is `all`).
 * A quick run takes a tenth of them, at least one. TRUNKLINE_TEST_SEEDS is the number of that
 * tenth; the default is the first.
 */
export function seeds(count: number): number[] {
  const given = process.env['TRUNKLINE_TEST_SEEDS'] ?? '1';
  if (given === 'all') return Array.from({ length: count }, (_, i) => i + 1);
  const size = Math.ceil(count / 10);
  return Array.from({ length: size }, (_, i) => (((Number(given) - 1) * size + i) % count) + 1);
}
