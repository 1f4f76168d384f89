// Short searches for planted bugs; the nightly run has longer ones.

import { run } from '@trunkline/bench/testing/run';
import test from 'ava';
import { lockScenario } from './planted/lock.ts';
import { replicationScenario } from './planted/replication-scenario.ts';
import { failureOf, PLANTED } from './planted/search.ts';

for (const [name, scenario] of [
  ['replication', replicationScenario()],
  ['lock', lockScenario()],
] as const)
  test.serial(`the correct ${name} passes five seeds`, async (t) => {
    t.is(await failureOf(scenario, 1, 5), undefined);
  });

for (const name of ['gapAccepted', 'leaseFromAnswer'])
  test.serial(`the search finds ${name}`, async (t) => {
    const { scenario } = PLANTED.find((bug) => bug.name === name)!;
    t.truthy(await failureOf(scenario, 1, 20));
  });

test('an invalid option is reported with the usage', async (t) => {
  const file = new URL('./planted.js', import.meta.url).href;
  const { code, errors } = await run(file, '--only', 'nothing');
  t.is(code, 2);
  t.regex(errors, /--only: no bug is named 'nothing'[\s\S]*usage:/);
});
