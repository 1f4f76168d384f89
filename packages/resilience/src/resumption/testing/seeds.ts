// The seeds of tests that are repeated with random input.

import process from 'node:process';

/**
 * Returns the seeds of a repeated test: a tenth of 1 to `count`, at least one, and all of them in a
 * nightly run.
 */
export function seeds(count: number): number[] {
  const length = isNightly() ? count : Math.ceil(count / 10);
  return Array.from({ length }, (_, i) => i + 1);
}

function isNightly(): boolean {
  return process.env['TRUNKLINE_NIGHTLY'] === '1';
}
