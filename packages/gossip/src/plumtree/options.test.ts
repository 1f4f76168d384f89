// Tests of Plumtree's options.

import test from 'ava';
import { plumtreeOptions } from './options.ts';

test('the defaults are those of iroh-gossip, frozen', (t) => {
  const options = plumtreeOptions();
  t.like(options, {
    noticeDelay: 5,
    graftDelay: 80,
    nextGraftDelay: 40,
    optimizeAt: 7,
    cacheTime: 30_000,
    idTime: 90_000,
    evictInterval: 1_000,
  });
  t.true(Object.isFrozen(options));
});

test('the error names an invalid option and its value', (t) => {
  for (const [options, message] of [
    [{ pruneAfter: 0 }, /pruneAfter: must be an integer from 1 .* got 0/],
    [{ noticeDelay: -1 }, /noticeDelay: must be milliseconds/],
    [{ idTime: 50 }, /idTime: .* got 50/],
    [{ cacheTime: 100_000 }, /idTime: must be at least cacheTime/],
    [{ originTime: 80_000 }, /originTime: must be at least idTime/],
    [{ graftDelays: 1 } as object, /did you mean 'graftDelay'/],
  ] as const)
    t.throws(() => plumtreeOptions(options), { instanceOf: TypeError, message });
});
