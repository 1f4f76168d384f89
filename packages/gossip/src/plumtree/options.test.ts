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
  t.throws(() => plumtreeOptions({ pruneAfter: 0 }), {
    instanceOf: TypeError,
    message: /pruneAfter: must be an integer from 1 .* got 0/,
  });
  t.throws(() => plumtreeOptions({ noticeDelay: -1 }), {
    instanceOf: TypeError,
    message: /noticeDelay: must be milliseconds/,
  });
  t.throws(() => plumtreeOptions({ idTime: 50 }), {
    instanceOf: TypeError,
    message: /idTime: .* got 50/,
  });
  t.throws(() => plumtreeOptions({ cacheTime: 100_000 }), {
    instanceOf: TypeError,
    message: /idTime: must be at least cacheTime/,
  });
  t.throws(() => plumtreeOptions({ originTime: 80_000 }), {
    instanceOf: TypeError,
    message: /originTime: must be at least idTime/,
  });
  t.throws(() => plumtreeOptions({ graftDelays: 1 } as object), {
    instanceOf: TypeError,
    message: /did you mean 'graftDelay'/,
  });
});
