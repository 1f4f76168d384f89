// Runs a short soak of two backends.

import { run } from '@trunkline/bench/testing/run';
import test from 'ava';

interface Printed {
  readonly results: readonly {
    readonly backend: string;
    readonly phases: readonly { readonly done: number; readonly ledger: string }[];
    readonly left: readonly string[];
  }[];
  readonly wrong: readonly string[];
}

test('a short soak of two backends leaves nothing behind, and every call has one outcome', async (t) => {
  const { output, errors } = await run(
    new URL('./soak.js', import.meta.url).href,
    '--minutes',
    '0.05',
    '--backend',
    'inmem-streams,tcp',
    '--cycles',
    '20',
    '--calls',
    '500',
    '--json',
  );
  const { results, wrong } = JSON.parse(output) as Printed;
  t.deepEqual(
    results.map(({ backend, phases, left }) => [backend, phases.length, left]),
    [
      ['inmem-streams', 3, []],
      ['tcp', 3, []],
    ],
    errors,
  );
  for (const { phases } of results) for (const { done, ledger } of phases) t.true(done > 0, ledger);
  // In so short a run the heap only shows the compiler's work.
  t.deepEqual(
    wrong.filter((what) => !what.includes('heap')),
    [],
  );
});

test('an invalid option is reported with the usage', async (t) => {
  const { code, errors } = await run(new URL('./soak.js', import.meta.url).href, '--minutes', '0');
  t.is(code, 2);
  t.regex(errors, /--minutes: must be a number above 0, got '0'[\s\S]*usage:/);
});
