// Tests the bar for a flood.

import test from 'ava';
import { judge } from './bars.ts';
import type { PartFigures, Round } from './rounds.ts';

test('a flood is judged by the median of the ratios within each round', (t) => {
  // The machine slows down tenfold, with and without the flood.
  const rounds = [
    round({ quiet: 100, hold: 190 }),
    round({ quiet: 1_000, hold: 1_500 }),
    round({ quiet: 100, hold: 900 }),
  ];
  t.like(judge(rounds)[0], { ratio: 1.9, holds: true });
  t.like(judge([...rounds, round({ quiet: 100, hold: 230 })])[0], { holds: false });
});

function round(p99: { quiet: number; hold: number }): Round {
  const part = (value: number) => ({ honest: { p99: value } }) as PartFigures;
  return new Map([
    ['quiet', part(p99.quiet)],
    ['hold', part(p99.hold)],
  ]);
}
