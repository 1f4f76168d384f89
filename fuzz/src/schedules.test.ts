// Plays 1,000 random schedules of two sessions.

import test from 'ava';
import { playSchedules } from './schedules.ts';

test('1,000 random schedules: each call settles once with its own answer, and credit and memory are consistent', async (t) => {
  await t.notThrowsAsync(playSchedules(1_000, 1));
});
