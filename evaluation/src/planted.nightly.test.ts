// Long searches for planted bugs, and none in the correct protocols.

import test from 'ava';
import { PROTOCOLS, Search } from './planted/search.ts';

for (const protocol of PROTOCOLS)
  test.serial(`the correct ${protocol.name} passes 500 seeds`, async (t) => {
    t.timeout(SLOW);
    await t.notThrowsAsync(new Search(protocol).pass(1, 500));
  });

for (const [at, least] of [8, 8].entries()) {
  const protocol = PROTOCOLS[at]!;
  test.serial(`one search finds most bugs of the ${protocol.name}`, async (t) => {
    t.timeout(SLOW);
    const search = new Search(protocol);
    const found: string[] = [];
    for (const bug of Object.keys(protocol.bugs))
      if (Number.isFinite((await search.find(bug, 1, 200)).counts[0])) found.push(bug);
    t.true(found.length >= least, found.join(', '));
  });
}

/** A timeout in milliseconds for a busy machine. */
const SLOW = 600_000;
