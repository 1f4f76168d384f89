// Runs Raft under each nemesis, on both levels, and checks that long histories have everything that
// the checks are about.

import { explore } from '@trunkline/simulation';
import test from 'ava';
import { raftScenario } from './scenario.ts';
import { DEFAULTS, DISK, LINK, NEMESES, nemesisOf, type Settings } from './settings.ts';

/** Runs seeds, which must all pass. Returns the figures of each. */
async function figuresOf(settings: Settings, pause: number, seeds: number) {
  const { minutes, level } = settings;
  const scenario = raftScenario({ minutes, pause });
  const figures: Awaited<ReturnType<typeof scenario>>[] = [];
  const { failed } = await explore({
    seeds,
    scenario: async (sim) => figures.push(await scenario(sim)),
    nemesis: nemesisOf(settings),
    level,
    link: LINK,
    disk: DISK,
  });
  if (failed[0] !== undefined) throw failed[0].error;
  return figures;
}

for (const level of ['message', 'stream'] as const)
  for (const nemesis of Object.keys(NEMESES))
    test.serial(`5 seeds under ${nemesis}, on level ${level}`, async (t) => {
      t.timeout(60_000, 'a second on a free machine, many on a busy one');
      const all = await figuresOf({ ...DEFAULTS, minutes: 1, level, nemesis }, 1_000, 5);
      t.true(all.length >= 5); // The first seed runs twice, to check that it is reproducible.
      for (const { commands, committed, terms } of all)
        t.true(commands > 50 && committed > 50 && terms > 0);
    });

test.serial('a long history has snapshots, elections and unanswered commands', async (t) => {
  t.timeout(60_000, 'a second on a free machine, many on a busy one');
  const all = await figuresOf({ ...DEFAULTS, minutes: 5 }, 500, 6);
  t.true(all.some(({ snapshots }) => snapshots > 0));
  t.true(all.some(({ unanswered }) => unanswered > 0));
  t.true(all.some(({ terms }) => terms > 20));
});
