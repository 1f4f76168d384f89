// Fuzzes two sessions that talk to each other. An input is a schedule of the events between them;
// see `schedule.ts`.

import { type Random, randomBytes } from '../../random.ts';
import { HEAD, playSchedule, STEP } from './schedule.ts';

export const target = {
  run: playSchedule,

  *seeds(): Iterable<Uint8Array> {
    for (let ending = 0; ending < 4; ending++)
      yield Uint8Array.of(ending, 0, 0, 0, 50, 15, 0, 0, 17, 0, 255, 3, 1, 0, 5, 0, 9);
  },

  make: (random: Random): Uint8Array =>
    randomBytes(random, HEAD + STEP * (1 + Math.floor(random() * 100))),

  most: HEAD + STEP * 120,
};
