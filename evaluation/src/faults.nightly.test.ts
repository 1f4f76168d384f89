// Runs every fault on real kernels if network namespaces can be made, and all of them in the
// simulation, which needs none.

import { run } from '@trunkline/bench/testing/run';
import test from 'ava';
import { KINDS } from './faults/kinds.ts';
import { difference, formatTable, judge, type Outcome } from './faults/report.ts';
import { runSimulated } from './faults/simulated.ts';

interface Printed {
  readonly outcomes: readonly (Pick<Outcome, 'real' | 'simulated'> & { readonly fault: string })[];
}

test('a connection behaves the same on real kernels and in the simulation, or the reason for having no real line is reported', async (t) => {
  t.timeout(300_000);
  const { output, errors } = await run(new URL('./faults.js', import.meta.url).href, '--json');
  if (!output.startsWith('{'))
    return t.regex(output, /^skipped: this machine cannot cause real faults: /, errors);
  const { outcomes } = JSON.parse(output) as Printed;
  t.deepEqual(
    outcomes.map(({ fault }) => fault),
    KINDS.map(({ name }) => name),
  );
  for (const [at, { fault, real, simulated }] of outcomes.entries()) {
    for (const end of ['caller', 'callee'] as const) {
      t.is(real[end].reason, KINDS[at]!.wanted[end].reason, `${fault}, ${end}`);
      if (simulated !== undefined)
        t.true(
          difference(real[end], simulated[end]) <= 1,
          `${fault}, ${end}: ${JSON.stringify([real[end], simulated[end]])}`,
        );
    }
  }
});

test.serial('in the simulation each fault has its expected result', async (t) => {
  const outcomes: Outcome[] = [];
  for (const kind of KINDS) {
    const simulated = await runSimulated(kind);
    if (simulated !== undefined) outcomes.push({ kind, real: simulated, simulated });
  }
  t.is(outcomes.length, KINDS.length - 1);
  for (const { bar, ratio, holds } of judge(outcomes)) t.true(holds, `${bar}: ${ratio}`);
  t.regex(formatTable(outcomes), /drop all +caller +ping_timeout after 14\.9\d s/);
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run(
    new URL('./faults.js', import.meta.url).href,
    '--only',
    'drop all,earthquake',
  );
  t.is(code, 2);
  t.regex(errors, /--only: no fault is named 'earthquake'; there are drop all, [\s\S]*usage:/);
});
