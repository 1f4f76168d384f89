// Long searches for planted bugs, and none in the correct protocols.

import test from 'ava';
import { PROTOCOLS, Search } from './planted/search.ts';

for (const protocol of PROTOCOLS)
  test.serial(`the correct ${protocol.name} passes 500 seeds`, async (t) => {
    t.timeout(SLOW);
    await t.notThrowsAsync(new Search(protocol).pass(1, 500));
  });

/** A timeout in milliseconds for a busy machine. */
const SLOW = 600_000;
