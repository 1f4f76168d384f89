// Tests of Plumtree's options.

import test from 'ava';
import { plumtreeOptions } from './options.ts';

test('ids are remembered at least as long as the messages are kept', (t) => {
  t.like(plumtreeOptions({ cacheTime: 100_000 }), { idTime: 100_000, originTime: 600_000 });
  t.like(plumtreeOptions({ cacheTime: 700_000 }), { idTime: 700_000, originTime: 700_000 });
});

test('the error names an invalid option and its value', (t) => {
  for (const [options, message] of [
    [{ optimizeAt: 0 }, /optimizeAt: must be an integer from 1 .* got 0/],
    [{ noticeDelay: -1 }, /noticeDelay: must be milliseconds/],
    [{ graftDelays: 1 } as object, /did you mean 'graftDelay'/],
  ] as const)
    t.throws(() => plumtreeOptions(options), { instanceOf: TypeError, message });
});
