// Checks that runs of Raft are reproducible. `pnpm sim` searches with random nemeses, and
// scenario.nightly.test.ts runs each by itself.

import { createSimulation, type SimulationLevel } from '@trunkline/simulation';
import test from 'ava';
import { raftScenario } from './scenario.ts';
import { DEFAULTS, DISK, LINK, nemesisOf } from './settings.ts';

async function run(seed: number, level: SimulationLevel, nemesis = DEFAULTS.nemesis) {
  const faults = nemesisOf({ ...DEFAULTS, minutes: 1, nemesis });
  const sim = createSimulation({ seed, level, link: LINK, disk: DISK, nemesis: faults });
  await raftScenario({ minutes: 1 })(sim);
  const { hash } = sim.trace;
  return { hash, leaks: await sim.close() };
}

for (const level of ['message', 'stream'] as const)
  test.serial(`the same seed gives the same hash, another one another, on ${level}`, async (t) => {
    const { hash } = await run(1, level);
    t.is((await run(1, level)).hash, hash);
    t.not((await run(2, level)).hash, hash);
  });

test.serial('a node whose set-up returns a stop function leaves nothing behind', async (t) => {
  t.deepEqual((await run(1, 'message', 'none')).leaks, []);
});
