// AVA's `test` for simulations: one test after the other, because a process runs one simulation at
// a time, and each with several seeds.

import ava, { type ExecutionContext } from 'ava';
import { type Run, runs } from './cluster.ts';

/**
 * Declares a test that is repeated with each run, which is its `t.context`. The runs are those of
 * `runs`, by default with two seeds. After each, closes its simulations, which must leave nothing
 * behind.
 */
export default function test(
  title: string,
  check: (t: ExecutionContext<Run>) => Promise<void>,
  repeats: number | readonly Run[] = 2,
): void {
  ava.serial(title, async (t) => {
    const each = t as ExecutionContext<Run>;
    for (const run of typeof repeats === 'number' ? runs(repeats) : repeats) {
      each.context = run;
      try {
        await check(each);
        for (const sim of run.simulations.splice(0)) t.deepEqual(await sim.close(), []);
      } catch (error) {
        t.log(`failed with ${run.name}`);
        throw error;
      }
    }
  });
}
