// Runs Raft under each nemesis, on both levels, and checks that long histories have everything that
// the checks are about.

import { explore, type Simulation } from '@trunkline/simulation';
import test from 'ava';
import { type Figures, raftScenario } from './scenario.ts';
import { DEFAULTS, DISK, LINK, NEMESES, nemesisOf } from './settings.ts';

async function figuresOf(settings: Partial<typeof DEFAULTS>, pause: number, seeds: number) {
  const { minutes, level, ...rest } = { ...DEFAULTS, ...settings };
  const ends: Figures[] = [];
  const scenario = async (sim: Simulation) =>
    ends.push(await raftScenario({ minutes, pause })(sim));
  const nemesis = nemesisOf({ minutes, level, ...rest });
  const { passed, failed } = await explore({
    seeds,
    scenario,
    nemesis,
    level,
    link: LINK,
    disk: DISK,
    stopAfter: seeds,
  });
  if (failed[0] !== undefined) throw failed[0].error;
  return { passed, ends };
}

for (const level of ['message', 'stream'] as const)
  for (const nemesis of Object.keys(NEMESES))
    test.serial(`5 seeds under ${nemesis}, on level ${level}`, async (t) => {
      t.timeout(60_000, 'a second on a free machine, many on a busy one');
      const { passed, ends } = await figuresOf({ minutes: 1, level, nemesis }, 1_000, 5);
      t.is(passed, 5);
      t.true(
        ends.every(
          ({ commands, committed, terms }) => commands > 50 && committed > 50 && terms > 0,
        ),
        'the histories contain elections and commands',
      );
    });

test.serial(
  'a long history has snapshots of a leader, elections, and unanswered commands',
  async (t) => {
    t.timeout(60_000, 'a second on a free machine, many on a busy one');
    const { ends } = await figuresOf({ minutes: 5 }, 500, 6);
    t.true(ends.some(({ snapshots }) => snapshots > 0));
    t.true(ends.some(({ unanswered }) => unanswered > 0));
    t.true(ends.some(({ terms }) => terms > 20));
  },
);
