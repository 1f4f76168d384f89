// Compares runs with recorded hashes, which proves determinism across processes and releases.

import { GOLDEN, type GoldenRun, goldenHash } from './testing/golden.ts';
import test from './testing/serial.ts';

for (const [run, hash] of Object.entries(GOLDEN) as [GoldenRun, string][]) {
  test(`a run that uses every feature has the hash that is recorded: ${run}`, async (t) => {
    t.is(
      await goldenHash(run, 1),
      hash,
      'if a simulation behaves differently now, record the new hash; every Node and Chromium must agree',
    );
    t.not(await goldenHash(run, 2), hash);
  });
}
