// Tests of the pace at which a short view asks for links.

import test from 'ava';
import { Search } from './requests.ts';

test('a search becomes slower, and begins at its first pace again once it was over', (t) => {
  const search = new Search(10, 60_000, () => 0.5);
  search.update(true, 0);
  const times = Array.from({ length: 3 }, () => {
    const { due } = search;
    search.begin(due);
    return due;
  });
  t.deepEqual(times, [1_000, 3_000, 7_000]);
  search.update(false, 7_000);
  t.is(search.due, Number.POSITIVE_INFINITY);
  search.update(true, 8_000);
  t.is(search.due, 9_000);
});
