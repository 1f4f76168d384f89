// Tests the benchmark of loads: a short run, also beside another checkout, its figures and options.

import { fileURLToPath } from 'node:url';
import test from 'ava';
import { LOADS } from './simulation/loads/by-name.ts';
import { loadPackages } from './simulation/loads/packages.ts';
import { summarizeLoads, tableOfLoads } from './simulation/loads-report.ts';
import { run } from './testing/run.ts';

const HERE = new URL('../../', import.meta.url);

test('a smoke run measures a load beside another checkout, and where its time goes', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  const { code, output, errors } = await run(
    'simulation-loads.js',
    '--smoke',
    '--json',
    '--load',
    'calls',
    '--before',
    fileURLToPath(HERE),
  );
  t.is(code, 0, errors);
  const { figures } = JSON.parse(output);
  t.is(figures.length, 1);
  const [{ name, times, events, ratio, shares }] = figures;
  t.is(name, 'calls');
  t.true(times > 0 && events > 0 && ratio > 0);
  t.true(shares.load > 0.01 && shares.simulation > 0.01 && shares.transport > 0.01);
  const sum = Object.values<number>(shares).reduce((a, b) => a + b, 0);
  t.true(Math.abs(sum - 1) < 1e-6, `${sum}`);
});

test.serial('every load does what it should, and the same again with the same seed', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  const packages = await loadPackages(HERE.href);
  for (const load of LOADS) {
    const first = await load.run(packages, 5);
    t.true(first.virtual >= 10_000 && first.events > 1_000, load.name);
    t.deepEqual(await load.run(packages, 5), first, load.name);
  }
});

test('a ratio is that to the other checkout in the same round', (t) => {
  const rounds = [3, 3.5, 2.9, 3.1, 3.2, 3].map((ratio, at) => {
    const before = { times: 100 + 10 * at, events: 1_000 };
    return { before, now: { times: before.times * ratio, events: 3_000 } };
  });
  const shares = { load: 0.7, simulation: 0.3 };
  const summary = summarizeLoads([{ load: LOADS[0]!, rounds, shares }]);
  t.is(summary[0]!.ratio!.toFixed(3), '3.050');
  t.deepEqual(tableOfLoads(summary)[1]!.slice(2), [
    '3,000',
    '3.05',
    '2.90 to 3.50',
    '70 %',
    '30 %',
  ]);
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [args, named] of [
    [['--rounds', 'few'], /--rounds: .*'few'/],
    [['--load', 'chess'], /--load: .*'chess'/],
    [['--before', '/no/checkout'], /--before: .*'\/no\/checkout'/],
  ] as const) {
    const { code, errors } = await run('simulation-loads.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
