// Checks that runs of Raft are reproducible. `pnpm sim` searches with random nemeses, and
// scenario.nightly.test.ts runs each by itself.

import { createSimulation, type SimulationLevel } from '@trunkline/simulation';
import test from 'ava';
import { raftScenario } from './scenario.ts';
import { DEFAULTS, DISK, LINK, nemesisOf } from './settings.ts';

const LEVELS: readonly SimulationLevel[] = ['message', 'stream'];

test.serial('the same seed gives the same hash, and another seed another one', async (t) => {
  const hash = async (seed: number, level: SimulationLevel) => {
    const sim = createSimulation({
      seed,
      level,
      link: LINK,
      disk: DISK,
      nemesis: nemesisOf({ ...DEFAULTS, minutes: 1 }),
    });
    await raftScenario({ minutes: 1 })(sim);
    const { hash } = sim.trace;
    await sim.close();
    return hash;
  };
  for (const level of LEVELS) {
    const first = await hash(1, level);
    t.is(await hash(1, level), first);
    t.not(await hash(2, level), first);
  }
});

test.serial('a node whose set-up returns a stop function leaves nothing behind', async (t) => {
  const sim = createSimulation({ seed: 1, link: LINK, disk: DISK });
  await raftScenario({ minutes: 1 })(sim);
  t.deepEqual(await sim.close(), []);
});
