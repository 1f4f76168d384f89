// Tests the benchmark of starting: its figures and its options.

import test from 'ava';
import type { StartRound } from './start/measure.ts';
import { formatTable, judge, summarize } from './start/report.ts';
import { run } from './testing/run.ts';

test('the cost of a package is the difference from bare Node in the same round, and the bar is that of core + tcp', (t) => {
  const rounds = [round(40, 99), round(50, 111), round(90, 149)];
  const summary = summarize(rounds);
  t.deepEqual(summary, [
    { name: 'bare Node', time: 50, cpu: 30, rss: 40, heap: 4 },
    { name: 'core + tcp', time: 59, cpu: 25, rss: 12, heap: 3 },
  ]);
  t.is(formatTable(summary).split('\n')[2], 'core + tcp  +59.0   +25.0     +12.0       +3.0');
  t.like(judge(summary), [{ ratio: 59, holds: true }]);
  t.like(judge(summarize([round(40, 100)])), [{ ratio: 60, holds: false }]);
});

test('the bar of trunkline is the CPU time of core + tcp, both without bare Node', (t) => {
  const cost = (cpu: number) => ({ name: '', time: 9, cpu, rss: 0, heap: 0 });
  const verdictsOf = (cpu: number) =>
    judge([
      { ...cost(30), name: 'bare Node' },
      { ...cost(40), name: 'core + tcp' },
      { ...cost(cpu), name: 'trunkline' },
    ]);
  t.like(verdictsOf(44)[1], { ratio: 1.1, holds: true });
  t.like(verdictsOf(45)[1], { holds: false });
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run('start.js', '--runs', 'few');
  t.is(code, 2);
  t.regex(errors, /--runs: .*'few'[\s\S]*usage:/);
});

function round(bare: number, ours: number): StartRound {
  const MIB = 1024 * 1024;
  return new Map([
    ['core + tcp', { time: ours, cpu: 55, rss: 52 * MIB, heap: 7 * MIB }],
    ['bare Node', { time: bare, cpu: 30, rss: 40 * MIB, heap: 4 * MIB }],
  ]);
}
