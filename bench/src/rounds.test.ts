// Tests that figures are right: rounds, medians, ratios, intervals, bars and tables.

import test from 'ava';
import { judge, ratioBar } from './bars.ts';
import { type Figures, type Plan, type Round, taskOf } from './benchmark.ts';
import { formatTables } from './report.ts';
import { runRounds } from './rounds.ts';
import { summarize } from './summary.ts';

const LIMIT = { group: 's2', name: 'limit-net' };
const OURS = { group: 's2', name: 'trunkline-tcp', against: 'limit-net' };
const PLAN: Plan = {
  tasks: [LIMIT, OURS].map((row) => taskOf(row, async () => undefined)),
  figuresOf: () => [
    { key: 'rate', unit: 'calls/s' },
    { key: 'p50', unit: 'p50 µs', compared: 'difference' },
  ],
};
const BAR = ratioBar('rate', OURS, { least: 1.2 });

function round(limit: Figures, ours: Figures): Round {
  return { s2: { 'limit-net': limit, 'trunkline-tcp': ours } };
}

test('each round begins with another task of a turn, and rows without figures are left out', async (t) => {
  const order: string[] = [];
  const tasks = ['a', 'b', 'c'].map((name) =>
    taskOf({ group: '', name }, async () => {
      order.push(name);
      return name === 'c' ? undefined : { rate: order.length };
    }),
  );
  const told: string[] = [];
  const rounds = await runRounds({ tasks }, 2, (what) => told.push(what));
  t.deepEqual(order, ['a', 'b', 'c', 'b', 'c', 'a']);
  t.deepEqual(
    rounds.map((each) => Object.keys(each['']!)),
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
  );
  t.is(told[3], 'round 2 of 2: b');
});

test('figures are medians, and ratios and differences those within a round', (t) => {
  // The machine slows down tenfold, and the limit with it.
  const rounds = [
    round({ rate: 1_000, p50: 10 }, { rate: 1_300, p50: 11 }),
    round({ rate: 100, p50: 20 }, { rate: 125, p50: 23 }),
    round({ rate: 500, p50: 30 }, { rate: 100, p50: 36 }),
  ];
  const [limit, ours] = summarize(PLAN, rounds);
  t.deepEqual(limit!.figures, { rate: { median: 500 }, p50: { median: 20 } });
  t.deepEqual(ours!.figures, { rate: { median: 125, ratio: 1.25 }, p50: { median: 23, ratio: 3 } });
  t.like(judge(rounds, [BAR]), [
    { bar: 's2 rate: trunkline-tcp ÷ limit-net at least 1.2', ratio: 1.25, holds: true },
  ]);
  t.like(judge([...rounds, round({ rate: 100 }, { rate: 110 })], [BAR]), [{ holds: false }]);
  t.deepEqual(judge([round({}, { rate: 1 })], [BAR]), []);
});

test('six rounds have an interval', (t) => {
  const rounds = [0.9, 1, 1.1, 0.95, 0.97, 0.96].map((ratio, at) =>
    round({ rate: 1_000 + 100 * at }, { rate: (1_000 + 100 * at) * ratio }),
  );
  const { ratio, interval } = summarize(PLAN, rounds)[1]!.figures['rate']!;
  t.is(ratio!.toFixed(3), '0.965');
  t.deepEqual(
    interval!.map((end) => end.toFixed(2)),
    ['0.90', '1.10'],
  );
});

test('a table has a column for each figure, and one for its ratios', (t) => {
  const rows = summarize(PLAN, [round({ rate: 2_000 }, { rate: 1_000 })]);
  t.deepEqual(
    formatTables(rows, { ...PLAN, titleOf: (group) => `${group}: calls` })
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
    [
      ['s2: calls'],
      ['', 'calls/s', '÷'],
      ['limit-net', '2,000'],
      ['trunkline-tcp', 'vs limit-net', '1,000', '0.50'],
    ],
  );
});
