// A page that runs the recorded simulation.

import { GOLDEN, goldenHash } from '../../../packages/simulation/dist/testing/golden.js';

Object.assign(globalThis, {
  /** Returns the hash of each level, and the recorded ones. */
  async runGolden() {
    const hashes: Record<string, string> = {};
    for (const level of Object.keys(GOLDEN) as (keyof typeof GOLDEN)[])
      hashes[level] = await goldenHash(level, 1);
    return { hashes, recorded: GOLDEN };
  },
});
