// Runs Raft under each nemesis, on both levels, and checks that long histories have everything that
// the checks are about.

import { explore } from '@trunkline/simulation';
import test from 'ava';
import { type Figures, raftScenario } from './scenario.ts';
import { DEFAULTS, DISK, LINK, nemesisOf } from './settings.ts';
import { nemesisCases } from './testing/nemesis-cases.ts';

for (const level of ['message', 'stream'] as const)
  nemesisCases(test, { level, from: 1, seeds: 5 });

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
