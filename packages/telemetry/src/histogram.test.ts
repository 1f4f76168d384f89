// Tests of histograms.

import test from 'ava';
import { Histogram } from './histogram.ts';

test('a value belongs to the first bucket whose bound it does not exceed', (t) => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 1_000]) histogram.record(value);
  t.deepEqual([...histogram.counts], [2, 2, 1, 2]);
  t.is(histogram.count, 7);
  t.is(histogram.sum, 1_014.6);
});
