// Tests of the limit on the pulls of a peer's status.

import test from 'ava';
import { PullRation } from './status-sync.ts';

test('a peer of which eight statuses could not be read is pulled once every ten seconds', (t) => {
  const ration = new PullRation();
  const pull = (now: number) => {
    if (!ration.take(now)) return false;
    ration.spoiled(now);
    return true;
  };
  const times = [...Array(9).fill(0), 5_000, 10_000, 10_000, 15_000, 20_000];
  t.deepEqual(
    times.filter((now) => pull(now)),
    [...Array(8).fill(0), 10_000, 20_000],
  );
});
