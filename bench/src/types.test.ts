// Tests the benchmark of types: its figures, its options, and a short run.

import test from 'ava';
import { run } from './testing/run.ts';
import { formatTable, judge, summarize } from './types/report.ts';

test('a ratio is the median of the ratios to plain functions in the same round, and the bar is that of trunkline', (t) => {
  const round = (functions: number, ours: number) =>
    new Map([
      ['trunkline', ours],
      ['plain functions', functions],
    ]);
  const summary = summarize([round(100, 150), round(200, 280), round(400, 640)]);
  t.deepEqual(summary, [
    { name: 'plain functions', time: 200, ratio: 1 },
    { name: 'trunkline', time: 280, ratio: 1.5 },
  ]);
  t.is(formatTable(summary).split('\n')[2], 'trunkline        280               1.50');
  t.like(judge(summary), [{ ratio: 1.5, holds: true }]);
  t.like(judge(summarize([round(100, 151)])), [{ ratio: 1.51, holds: false }]);
});

test('an invalid number of methods is reported with the usage', async (t) => {
  const { code, errors } = await run('types.js', '--methods', 'few');
  t.is(code, 2);
  t.regex(errors, /--methods: .*'few'[\s\S]*usage:/);
});

test('a smoke run checks every program that can be compiled here', async (t) => {
  const { code, output, errors } = await run('types.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { types, verdicts } = JSON.parse(output);
  const names = types.map(({ name }: { name: string }) => name);
  t.deepEqual(names.slice(0, 2), ['plain functions', 'trunkline']);
  t.deepEqual(verdicts, []);
});
