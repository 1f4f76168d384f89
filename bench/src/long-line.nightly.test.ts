// Tests the benchmark of a long line: a short run, its figures and its options.

import test from 'ava';
import { unable } from './long-line/line.ts';
import type { Task } from './long-line/protocol.ts';
import { formatTable, judge, type Sample, summarize } from './long-line/report.ts';
import { run } from './testing/run.ts';

test('a smoke run uses its own line, or reports why there is none', async (t) => {
  const { code, output, errors } = await run(
    'long-line.js',
    '--smoke',
    '--json',
    '--backend',
    'tcp',
    '--task',
    'upload,get',
    '--mib',
    '1',
  );
  t.is(code, 0, errors);
  if (unable() !== undefined)
    return t.regex(output, /^skipped: this machine cannot emulate a long line: /);
  const { figures } = JSON.parse(output);
  t.deepEqual([...new Set(figures.map(({ task }: { task: string }) => task))], ['upload', 'get']);
  for (const { raw, ours } of figures) t.true(raw > 0 && ours > 0);
});

test('ratios are medians of pairs, and small calls are given in round trips', (t) => {
  const samples = [
    sample('upload', 1_000, 1_000, 110),
    sample('upload', 1_000, 1_250, 130),
    sample('upload', 2_000, 2_100, 115),
    sample('put', 1_000, 1_500),
  ];
  const figures = summarize(samples, 1_000_000, 100);
  t.deepEqual(
    figures.map(({ task, raw, ours, small }) => [task, raw, ours, small]),
    [
      ['upload', 8, 6.4, 1.15],
      ['put', 8, 1_000_000 / 125 / 1_500, undefined],
    ],
  );
  t.regex(formatTable(figures), /upload of 256 KiB items +8\.0 +6\.4 +0\.95 +1\.15/);
  t.deepEqual(
    judge(figures).map(({ holds }) => holds),
    [true, true, false],
  );
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run('long-line.js', '--task', 'upload,sideways');
  t.is(code, 2);
  t.regex(errors, /--task: 'sideways' is none of upload, [\s\S]*usage:/);
});

function sample(task: Task, raw: number, ours: number, small?: number): Sample {
  return { control: 'cubic', backend: 'tcp', task, raw, ours, small };
}
