// Tests the benchmark of observing: a short run, its figures, bars and options.

import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Measured } from './observing/measure.ts';
import { judge, summarize, tableOf } from './observing/report.ts';
import { run } from './testing/run.ts';

test('a smoke run measures every row, also beside another checkout', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  const before = fileURLToPath(new URL('../../', import.meta.url));
  const { code, output, errors } = await run(
    'observing.js',
    '--smoke',
    '--json',
    '--before',
    before,
  );
  t.is(code, 0, errors);
  const { figures, verdicts } = JSON.parse(output);
  const names = figures.map(
    ({ carrier, what, scenario }: Record<string, string>) => `${carrier} ${what} ${scenario}`,
  );
  t.is(names.length, 18);
  for (const name of ['inmem off s1', 'tcp interceptors s3', 'tcp spans-100 s2'])
    t.true(names.includes(name), name);
  for (const { rate, ratio } of figures) t.true(rate > 0 && ratio > 0);
  t.deepEqual(verdicts, []);
});

test('a ratio is that to the plain calls of the same round', (t) => {
  const rounds = [0.9, 1, 1.1, 0.95, 0.97, 0.96].map((ratio, at) => {
    const plain = { rate: 1_000 + 100 * at, clientCpu: 2_000, serverCpu: 3_000 };
    return { plain, observed: { rate: plain.rate * ratio, clientCpu: 2_500, serverCpu: 3_700 } };
  });
  const row: Measured = { carrier: 'tcp', scenario: 's2', what: 'interceptors', rounds };
  const summary = summarize([row, { ...row, what: 'metrics' }]);
  t.is(summary[0]!.ratio.toFixed(3), '0.965');
  t.deepEqual(
    summary[0]!.interval!.map((end) => end.toFixed(2)),
    ['0.90', '1.10'],
  );
  t.is(summary[0]!.cpu, 1_200);
  t.is(tableOf(summary)[1]![4], '0.965');
  t.deepEqual(
    judge(summary).map(({ holds }) => holds),
    [true, true],
  );
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [args, named] of [
    [['--rounds', 'few'], /--rounds: .*'few'/],
    [['--before', '/no/checkout'], /--before: .*'\/no\/checkout'/],
  ] as const) {
    const { code, errors } = await run('observing.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
