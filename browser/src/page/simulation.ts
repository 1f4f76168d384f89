// Runs the recorded simulations.

import { GOLDEN, goldenHash } from '../../../packages/simulation/dist/testing/golden.js';

/** Returns the hash of each run, and the recorded ones. */
export async function runGolden() {
  const hashes: Record<string, string> = {};
  for (const run of Object.keys(GOLDEN) as (keyof typeof GOLDEN)[])
    hashes[run] = await goldenHash(run, 1);
  return { hashes, recorded: GOLDEN };
}
