// Tests how bars are judged, on one Node and on two.

import test from 'ava';
import { compare, judge } from './bars.ts';
import { LIMIT, TCP } from './columns.ts';
import type { Figures } from './stopwatch.ts';

test('bars are judged by the median of the ratios within each round', (t) => {
  // The machine slows down tenfold, and the limit with it: each round is judged by its own limit.
  const rounds = [
    round('s2', { rate: 1_000 }, { rate: 1_300 }),
    round('s2', { rate: 100 }, { rate: 125 }),
    round('s2', { rate: 500 }, { rate: 100 }),
  ];
  t.like(judge(rounds), [{ ratio: 1.25, holds: true }]);
  t.like(judge([...rounds, round('s2', { rate: 100 }, { rate: 110 })]), [{ holds: false }]);
});

test('durations are bounded from above', (t) => {
  const alone = (ours: number) =>
    judge([round('s1', { rate: 1, p50: 100 }, { rate: 1, p50: ours })]).map(({ holds }) => holds);
  t.deepEqual(alone(110), [true]);
  t.deepEqual(alone(111), [false]);
});

test('a small call beside large ones on another channel is compared with the limit on its only one', (t) => {
  const limit = round('s6', { rate: 1, p50: 1_000 }).get('s6')!;
  const elsewhere = (p50: number) =>
    judge([new Map([...round('s6-elsewhere', undefined, { rate: 1, p50 }), ['s6', limit]])]);
  t.like(elsewhere(60), [{ ratio: 0.06, holds: true }]);
  t.like(elsewhere(61), [{ holds: false }]);
});

test('another version of Node is judged by the median over the rounds', (t) => {
  // On the older Node, Trunkline is at 1, 2 and 4 times the limit; on the newer one at `share` of
  // that.
  const older = [1, 2, 4].map((times) => round('s3', { rate: 100 }, { rate: 100 * times }));
  const newer = (share: number) =>
    [1, 2, 4].map((times) => round('s3', { rate: 300 }, { rate: 300 * times * share }));
  t.like(compare(older, newer(0.8)), [{ older: 2, newer: 1.6, worse: 1.25, holds: false }]);
  t.like(compare(older, newer(0.9)), [{ older: 2, newer: 1.8, holds: true }]);
  t.like(compare(older, newer(1).reverse()), [{ older: 2, newer: 2, worse: 1, holds: true }]);
  t.deepEqual(compare(older, []), []);
  t.deepEqual(compare(older, [round('s2', { rate: 1 }, { rate: 1 })]), []);
});

test('scenarios that did not run are not judged', (t) => {
  t.deepEqual(judge([round('s1', undefined, { rate: 1, p50: 1 })]), []);
});

function round(
  scenario: string,
  limit?: Figures,
  ours?: Figures,
): Map<string, Map<string, Figures>> {
  const row = new Map<string, Figures>();
  if (limit !== undefined) row.set(LIMIT.title, limit);
  if (ours !== undefined) row.set(TCP.title, ours);
  return new Map([[scenario, row]]);
}
