// Runs the benchmark of the admin protocol in short.

import test from 'ava';
import { run } from './testing/run.ts';

test('a smoke run measures a node without watchers and with two', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('admin.js', '--smoke', '--window', '2500', '--json');
  t.is(code, 0, errors);
  const { rounds, verdicts } = JSON.parse(output);
  t.is(rounds.length, 1);
  t.true(rounds[0].without > 0 && rounds[0].watched > 0 && rounds[0].states > 0, output);
  t.deepEqual(verdicts, []);
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run('admin.js', '--rounds', 'many');
  t.is(code, 2);
  t.regex(errors, /--rounds: must be a whole number above 0, got 'many'[\s\S]*usage:/);
});
