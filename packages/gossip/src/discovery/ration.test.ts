// Tests of the ration of answers that a peer gets.

import test from 'ava';
import { Ration } from './topic-walk.ts';

test('ten answers at once, then one per second; one of a hundred refusals counts as abuse', (t) => {
  const ration = new Ration();
  const take = (times: number, now: number) => {
    const verdicts = { yes: 0, no: 0, abuse: 0 };
    for (let i = 0; i < times; i++) verdicts[ration.take(now)]++;
    return verdicts;
  };
  t.deepEqual(take(12, 0), { yes: 10, no: 2, abuse: 0 });
  t.deepEqual(take(4, 3_500), { yes: 3, no: 1, abuse: 0 });
  t.deepEqual(take(300, 4_000), { yes: 1, no: 296, abuse: 3 });
  t.deepEqual(take(20, 1_000_000), { yes: 10, no: 10, abuse: 0 });
});
