// A check that a scenario is deterministic: it runs it twice, and shows the first event that
// differs.

import type { Trace, TraceRecord } from '../kernel/trace.ts';
import { createSimulation } from '../simulation.ts';
import type { SimulationOptions } from '../simulation-options.ts';
import type { Scenario } from './local-runner.ts';
import { TraceComparison } from './trace-comparison.ts';

/**
 * Runs a scenario twice with the same seed, in this thread, compares the hashes of the two traces,
 * and whether and with which kind of error the runs fail, and returns the hash.
 *
 * @param options the options of `createSimulation`.
 * @throws Error that shows the first event that differs, or how the ends differ; the error of the
 * scenario if both runs fail in the same way; TypeError if an option is invalid.
 */
export async function assertDeterministic(
  scenario: Scenario,
  options: SimulationOptions = {},
): Promise<string> {
  const comparison = new TraceComparison();
  const { seed = 1 } = options;
  const one = await recorded(scenario, options, (event) => comparison.keep(event));
  const other = await recorded(scenario, options, (event) => comparison.compare(event));
  if (one.hash !== other.hash)
    throw new Error(
      `two runs of seed ${seed} differ: ${comparison.difference()}\nthe first run has the hash ${one.hash}\nthe second run has the hash ${other.hash}`,
    );
  const [first, second] = [endOf(one.error), endOf(other.error)];
  if (first !== second)
    throw new Error(
      `two runs of seed ${seed} differ: their traces are equal, but the first ${first}, and the second ${second}`,
    );
  if (one.error !== undefined) throw one.error.thrown;
  return one.hash;
}

interface Run {
  readonly hash: string;
  readonly error: { readonly thrown: unknown } | undefined;
}

/** Describes the end of a run. Only names are compared, because a message may contain a path. */
function endOf(error: Run['error']): string {
  if (error === undefined) return 'passed';
  const { thrown } = error;
  return `failed with ${thrown instanceof Error ? thrown.name : 'a value that is no Error'}`;
}

async function recorded(
  scenario: Scenario,
  options: SimulationOptions,
  onRecord: (event: TraceRecord) => void,
): Promise<Run> {
  const sim = createSimulation(options);
  const trace = sim.trace as Trace;
  trace.onRecord = onRecord;
  let error: Run['error'];
  const fail = (thrown: unknown) => {
    error ??= { thrown };
  };
  try {
    await scenario(sim);
  } catch (thrown) {
    fail(thrown);
  }
  await sim.close().catch(fail);
  return { hash: trace.hash, error };
}
