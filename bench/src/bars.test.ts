import test from 'ava';
import { judge } from './bars.ts';
import { LIMIT, OURS } from './columns.ts';
import type { Round } from './rounds.ts';

test('bars are judged by the median of the ratios within each round', (t) => {
  // The machine slows down tenfold, both alike: what counts is the round's own limit.
  const rounds = [round({ limit: 1_000, ours: 800 }), round({ limit: 100, ours: 76 }), round({ limit: 500, ours: 100 })];
  t.like(judge(rounds)[0], { ratio: 0.76, holds: true });
  t.like(judge([...rounds, round({ limit: 100, ours: 50 })])[0], { holds: false });
});

test('a small call that takes more than thrice its time beside a large one misses the bar', (t) => {
  t.deepEqual(
    judge([round({ alone: 50, beside: 150, elsewhere: 151 })]).map(({ holds }) => holds),
    [true, true, false],
  );
});

test('what did not run is not judged', (t) => {
  t.deepEqual(judge([new Map([['s1', new Map([[OURS.title, { rate: 1, p50: 1 }]])]])]), []);
});

function round({ limit = 1, ours = 1, alone = 1, beside = 1, elsewhere = 1 }): Round {
  const mine = (p50: number) => new Map([[OURS.title, { rate: 1, p50 }]]);
  const rates = new Map([
    [LIMIT.title, { rate: limit }],
    [OURS.title, { rate: ours }],
  ]);
  return new Map([
    ['s1', mine(alone)],
    ['s2', rates],
    ['s6', mine(beside)],
    ['s6-elsewhere', mine(elsewhere)],
  ]);
}
