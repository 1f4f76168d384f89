// Tests medians and percentiles.

import test from 'ava';
import { median, medianInterval, percentile } from './statistics.ts';

test('the median is the middle value, or the mean of the two in the middle', (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([]), Number.NaN);
});

test('a percentile is the value at its rank', (t) => {
  const values = Float64Array.from({ length: 100 }, (_, at) => at + 1);
  t.is(percentile(values, 0.5), 50);
  t.is(percentile(values, 0.99), 99);
  t.is(percentile(Float64Array.of(7), 0.99), 7);
});

test('the interval of a median leaves out as many values at each end as the sign test allows', (t) => {
  const upTo = (count: number) => Array.from({ length: count }, (_, at) => count - at);
  t.is(medianInterval(upTo(5)), undefined);
  t.deepEqual(medianInterval(upTo(6)), [1, 6]);
  t.deepEqual(medianInterval(upTo(8)), [1, 8]);
  t.deepEqual(medianInterval(upTo(9)), [2, 8]);
  t.deepEqual(medianInterval(upTo(21)), [6, 16]);
});
