// Runs two sessions under random schedules, by fast-check: a failing schedule is shrunk to the
// fewest steps, and shown with the command that replays it.

import fc from 'fast-check';

interface Model {
  playSchedule(schedule: Uint8Array): Promise<void>;
  describeSchedule(schedule: Uint8Array): string;
}

const place = '../../packages/transport-core/dist/session/testing/schedule.js';
const model = (await import(new URL(place, import.meta.url).href)) as Model;

/** Plays `runs` schedules. @throws an error that shows the shortest failing schedule. */
export async function playSchedules(runs: number, seed: number): Promise<void> {
  const byte = fc.nat(255);
  const step = fc.tuple(byte, byte, byte);
  const schedules = fc.record({
    ending: byte,
    limits: byte,
    steps: fc.array(step, { maxLength: MOST_STEPS, size: 'max' }),
  });
  const property = fc.asyncProperty(schedules, async ({ ending, limits, steps }) => {
    await model.playSchedule(Uint8Array.from([ending, limits, ...steps.flat()]));
  });
  const result = await fc.check(property, { numRuns: runs, seed });
  if (!result.failed) return;
  const [{ ending, limits, steps }] = result.counterexample!;
  const schedule = Uint8Array.from([ending, limits, ...steps.flat()]);
  const replay = `npx pnpm@12 fuzz schedule --input ${Buffer.from(schedule).toString('base64')}`;
  throw new Error(`${model.describeSchedule(schedule)}\n${replay}`, {
    cause: result.errorInstance,
  });
}

const MOST_STEPS = 100;
