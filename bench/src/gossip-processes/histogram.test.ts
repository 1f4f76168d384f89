// Tests the percentiles of merged histograms.

import test from 'ava';
import { Histogram } from './histogram.ts';

test('percentiles are accurate to 1 %, over counts of several processes', (t) => {
  const all = new Histogram();
  for (const from of [1, 501]) {
    const each = new Histogram();
    for (let value = from; value < from + 500; value++) each.add(value);
    all.merge(JSON.parse(JSON.stringify(each.data)));
  }
  for (const [part, exact] of [
    [0.5, 500],
    [0.99, 990],
    [1, 1_000],
  ] as const) {
    const told = all.percentile(part);
    t.true(told >= exact && told <= exact * 1.0101, `${part}: ${told}`);
  }
  t.is(all.longest, 1_000);
});

test('an empty histogram has no percentile', (t) => {
  t.is(new Histogram().percentile(0.99), Number.NaN);
});
