// Runs the benchmark of a cluster in short.

import test from 'ava';
import { run } from './testing/run.ts';

test('a smoke run measures one worker and two', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('cluster.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { rounds, verdicts } = JSON.parse(output);
  t.deepEqual(Object.keys(rounds[0]), ['1', '2']);
  t.is(rounds[0]['2'].connections.length, 2);
  t.true(rounds[0]['2'].rate > 0);
  t.deepEqual(verdicts, []);
});

test('the table says what was not measured', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('cluster.js', '--smoke', '--workers', '3');
  t.is(code, 0, errors);
  t.regex(output, /^ *3 +[\d,.]+ +[\d,.–]+ +\d\.\d\d$/m);
  t.regex(output, /unmeasured {2}calls\/s: 3 workers/);
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run('cluster.js', '--kind', 'fiber');
  t.is(code, 2);
  t.regex(errors, /--kind: must be process or thread, got 'fiber'[\s\S]*usage:/);
});
