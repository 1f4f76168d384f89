// Compares runs with recorded hashes, which proves determinism across processes and releases.

import test from 'ava';
import { GOLDEN, goldenHash } from './testing/golden.ts';

for (const level of ['message', 'stream'] as const) {
  test.serial(
    `a run that uses every feature has the hash that is recorded, ${level} level`,
    async (t) => {
      t.is(
        await goldenHash(level, 1),
        GOLDEN[level],
        'if a simulation behaves differently now, record the new hash; every Node and Chromium must agree',
      );
      t.not(await goldenHash(level, 2), GOLDEN[level]);
    },
  );
}
