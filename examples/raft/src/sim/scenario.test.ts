// Checks long histories of Raft, and that runs are reproducible. scenario.nightly.test.ts runs every
// nemesis by itself, and `pnpm sim` searches with random ones.

import { createSimulation, explore, type Level } from '@trunkline/simulation';
import test from 'ava';
import { type Figures, raftScenario } from './scenario.ts';
import { DEFAULTS, DISK, LINK, nemesisOf } from './settings.ts';

const LEVELS: readonly Level[] = ['message', 'stream'];

test.serial(
  'a long history has snapshots sent by a leader, elections, and commands without an answer',
  async (t) => {
    t.timeout(60_000, 'a second on a free machine, many on a busy one');
    const ends: Figures[] = [];
    const scenario = raftScenario({
      minutes: 5,
      pause: 500,
      onEnd: (figures) => ends.push(figures),
    });
    await explore({
      seeds: 6,
      scenario,
      nemesis: nemesisOf({ ...DEFAULTS, minutes: 5 }),
      link: LINK,
      disk: DISK,
    });
    t.true(
      ends.some(({ snapshots }) => snapshots > 0) &&
        ends.some(({ unanswered }) => unanswered > 0) &&
        ends.some(({ terms }) => terms > 20),
    );
  },
);

test.serial('the same seed gives the same hash, and another seed another one', async (t) => {
  const hash = async (seed: number, level: Level) => {
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
