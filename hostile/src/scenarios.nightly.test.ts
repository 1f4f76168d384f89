// Runs the attacks that bring their own victim and take longer than the tests of a commit may.

import test from 'ava';
import { SCENARIOS } from './all-attacks.ts';
import { runScenario, ScenarioRun } from './scenario.ts';

for (const scenario of SCENARIOS.filter(({ isSlow }) => isSlow === true))
  test.serial(`${scenario.carrier}: an attacker ${scenario.title}`, async (t) => {
    const { flaws } = await runScenario(scenario, new ScenarioRun(true, 1_000));
    t.deepEqual(flaws, []);
  });
