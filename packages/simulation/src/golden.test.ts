// Compares runs with recorded hashes, which proves determinism across processes and releases.

import test from 'ava';
import { GOLDEN, goldenHash } from './testing/golden.ts';

for (const level of ['message', 'stream'] as const) {
  test.serial(
    `a run with a bit of everything has the hash that is written down, ${level} level`,
    async (t) => {
      t.is(
        await goldenHash(level, 1),
        GOLDEN[level],
        'where a simulation does otherwise now, write down the new hash; every Node and Chromium must agree',
      );
      t.not(await goldenHash(level, 2), GOLDEN[level]);
    },
  );
}
