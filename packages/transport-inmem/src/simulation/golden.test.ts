// The proof of determinism that outlives a process: hashes that are written down.

import test from 'ava';
import { GOLDEN, goldenHash } from './testing/golden.ts';

for (const level of ['message', 'stream'] as const) {
  test.serial(`a run with a bit of everything has the hash that is written down, ${level} level`, async (t) => {
    t.is(await goldenHash(level, 1), GOLDEN[level], 'where a simulation does otherwise now, write down the new hash; every Node and Chromium must agree');
    t.not(await goldenHash(level, 2), GOLDEN[level]);
  });
}
