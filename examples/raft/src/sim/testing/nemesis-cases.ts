// Test cases of Raft under each nemesis; a test file sets the levels and the number of seeds.

import { explore, type SimulationLevel } from '@trunkline/simulation';
import type { TestFn } from 'ava';
import { type Figures, raftScenario } from '../scenario.ts';
import { DEFAULTS, DISK, LINK, NEMESES, nemesisOf } from '../settings.ts';

/**
 * Declares one case for each nemesis: Raft keeps its guarantees for a virtual minute, under each of
 * the seeds from `from`.
 */
export function nemesisCases(
  test: TestFn,
  { level, from, seeds }: { level: SimulationLevel; from: number; seeds: number },
): void {
  for (const name of Object.keys(NEMESES)) {
    test.serial(`${seeds} seeds from ${from} under ${name}, on level ${level}`, async (t) => {
      t.timeout(60_000, 'a second on a free machine, many on a busy one');
      const ends: Figures[] = [];
      const scenario = raftScenario({
        minutes: 1,
        pause: 1_000,
        onEnd: (figures) => ends.push(figures),
      });
      const nemesis = nemesisOf({ ...DEFAULTS, minutes: 1, nemesis: name });
      const { passed, failed } = await explore({
        seed: from,
        seeds,
        scenario,
        nemesis,
        level,
        link: LINK,
        disk: DISK,
        stopAfter: seeds,
      });
      if (failed[0] !== undefined) throw failed[0].error;
      t.is(passed, seeds);
      t.true(
        ends.every(
          ({ commands, committed, terms }) => commands > 50 && committed > 50 && terms > 0,
        ),
        'the histories contain elections and faults',
      );
    });
  }
}
