// Tests of reading saved trust metrics.

import test from 'ava';
import { readTrustDocument, slotsOf } from './trust-metric.ts';

const good = { intervals: 5, history: [1, 0.5, 0], good: 3, bad: 0, elapsed: 59_999.5 };

test('a document is read as it was written, without unknown members', (t) => {
  t.deepEqual(readTrustDocument(good), good);
  t.deepEqual(readTrustDocument({ ...good, later: 1 }), good);
  t.deepEqual(readTrustDocument({ ...good, intervals: 0, history: [] }), {
    ...good,
    intervals: 0,
    history: [],
  });
});

test('a history has a slot for one interval, one for the two before it, one for the four before those, and so on', (t) => {
  t.deepEqual([0, 1, 2, 3, 4, 7, 8, 20_160].map(slotsOf), [0, 1, 2, 2, 3, 3, 4, 15]);
});

test('anything else is not a document', (t) => {
  for (const value of [undefined, null, 1, '', [], {}, [good], JSON.stringify(good)])
    t.is(readTrustDocument(value), undefined);
  const wrong: Record<string, unknown[]> = {
    intervals: [undefined, null, '5', -1, 1.5, Number.NaN, 4_294_967_301, 20_161, 8, 3],
    history: [
      undefined,
      null,
      {},
      'abc',
      [1, 1],
      [1, 1, 1, 1],
      [1, 1, 1.1],
      [1, 1, -0.1],
      [1, 1, Number.NaN],
      [1, 1, null],
      [1, 1, '1'],
      { length: 3 },
    ],
    good: [undefined, null, '1', -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300],
    bad: [undefined, null, '1', -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300],
    elapsed: [undefined, null, '1', -1, Number.NaN, 60_001, Number.POSITIVE_INFINITY],
  };
  for (const [name, values] of Object.entries(wrong))
    for (const value of values)
      t.is(readTrustDocument({ ...good, [name]: value }), undefined, `${name}: ${String(value)}`);
});

test('a sparse history is not a document', (t) => {
  t.is(readTrustDocument({ ...good, history: new Array(3) }), undefined);
});
