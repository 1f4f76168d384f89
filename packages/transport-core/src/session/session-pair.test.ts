// Plays random schedules of two sessions, with each ending; testing/schedule.ts checks that each call
// settles once, with its own answer, and that all accounts are as they were at the start.

import test from 'ava';
import { randomBytes, seededRandom } from '../random.ts';
import { HEAD, playSchedule, STEP } from './testing/schedule.ts';

/** What each ending of a schedule shows. */
const PROMISES = [
  'in any order of events each call settles once with its own answer, and no state is left behind',
  'when an end leaves in order, accepted messages arrive, open calls are answered, and nothing that waits is lost',
  'when a transport closes, accepted messages arrive, and every call settles at both ends within its grace and a second',
  'when the connection breaks, each call settles once or is returned unsent, and nothing is held',
];

for (const [ending, promise] of PROMISES.entries())
  test(promise, async (t) => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(1_000 * ending + seed);
      const schedule = randomBytes(random, HEAD + STEP * Math.floor(50 + random() * 550));
      schedule[0] = (schedule[0]! & ~3) | ending;
      await t.notThrowsAsync(playSchedule(schedule), `seed ${seed}`);
    }
  });
