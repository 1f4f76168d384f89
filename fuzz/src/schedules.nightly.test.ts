// Plays 100,000 random schedules of two sessions, in parts.

import test from 'ava';
import { playSchedules } from './schedules.ts';

for (let part = 1; part <= 20; part++) {
  test.serial(`100,000 random schedules, part ${part} of 20`, async (t) => {
    t.timeout(600_000);
    await t.notThrowsAsync(playSchedules(5_000, 1_000 + part));
  });
}
