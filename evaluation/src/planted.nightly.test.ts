// Long searches for planted bugs, and none in the correct protocols.

import test from 'ava';
import { lockScenario } from './planted/lock.ts';
import { replicationScenario } from './planted/replication-scenario.ts';
import { failureOf, find, PLANTED } from './planted/search.ts';

for (const [name, scenario] of [
  ['replication', replicationScenario()],
  ['lock', lockScenario()],
] as const)
  test.serial(`the correct ${name} passes 500 seeds`, async (t) => {
    t.timeout(SLOW);
    t.is(await failureOf(scenario, 1, 500), undefined);
  });

for (const bug of PLANTED)
  test.serial(`the median of five searches finds ${bug.name}`, async (t) => {
    t.timeout(SLOW);
    t.not((await find(bug, 5, 200)).median, undefined, bug.does);
  });

/** A timeout in milliseconds for a busy machine. */
const SLOW = 600_000;
