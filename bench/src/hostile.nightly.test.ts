// Runs the benchmark of slow peers and floods in short.

import test from 'ava';
import { ATTACKS } from './hostile/attacks.ts';
import { run } from './testing/run.ts';

test('a smoke run measures each attack, the slow peer and too few files', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('hostile.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { rounds, files } = JSON.parse(output);
  t.deepEqual(Object.keys(rounds[0].parts).sort(), ['quiet', ...ATTACKS].sort());
  for (const { honest } of Object.values<{ honest: { count: number } }>(rounds[0].parts))
    t.true(honest.count > 0);
  t.true(rounds[0].ticks.alone.count > 0 && rounds[0].ticks.withSlow.count > 0);
  t.true(files.dialed.up > 0);
  // Some of 400 dials fail with 256 files, and each failure states the reason.
  t.deepEqual(Object.keys(files.dialed.failed), ['resource_exhausted']);
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run('hostile.js', '--only', 'sits still');
  t.is(code, 2);
  t.regex(errors, /--only: no attack is named 'sits still'; there are never reads, [\s\S]*usage:/);
});
