// Runs the attacks that bring their own victim: short, and not judged by times.

import test from 'ava';
import { SCENARIOS } from './all-attacks.ts';
import { runScenario, ScenarioRun } from './scenario.ts';

for (const scenario of SCENARIOS.filter(({ isSlow }) => isSlow !== true))
  test.serial(`${scenario.carrier}: an attacker ${scenario.title}`, async (t) => {
    const { flaws } = await runScenario(scenario, new ScenarioRun(true, 1_000));
    t.deepEqual(flaws, []);
  });

test('attacks have names of their own', (t) => {
  const names = SCENARIOS.map(({ name }) => name);
  t.is(new Set(names).size, names.length);
});

test('a scenario that waits for ever fails, and what it owns is closed', async (t) => {
  const run = new ScenarioRun(true, 1_000);
  let isClosed = false;
  const waiting = {
    name: 'waiting',
    title: 'waits',
    cases: [],
    carrier: 'none',
    run: () => {
      run.own(undefined, () => (isClosed = true));
      return new Promise<never>(() => {});
    },
  };
  const { flaws } = await runScenario(waiting, run, 1);
  t.deepEqual(flaws, ['the attack failed: it did not end within 1 ms']);
  t.true(isClosed);
});
