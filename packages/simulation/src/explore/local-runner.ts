// Runs the seeds of a search in the current thread, one after the other.

import type { ScheduledFault } from '../faults/fault.ts';
import { realTurn } from '../kernel/nondeterminism-guard.ts';
import { SimulationError } from '../kernel/simulation-error.ts';
import { summaryOf } from '../kernel/trace.ts';
import { createSimulation, type Simulation } from '../simulation.ts';
import type { SimulationOptions } from '../simulation-options.ts';
import { type FailedRun, failedRun, type Shrunk } from './failure.ts';
import { type LinkTrouble, withoutTroubles } from './link-troubles.ts';
import { shrinkFailure } from './shrink.ts';

/**
 * A scenario of a search: it declares nodes on the simulation and runs them, and fails by
 * rejecting.
 */
export type Scenario = (sim: Simulation) => unknown;

/**
 * The options that all seeds of a search share, except the scenario. They are plain data unless the
 * nemesis is an object that plans.
 */
export interface RunnerOptions
  extends Pick<SimulationOptions, 'level' | 'link' | 'disk' | 'strict' | 'nemesis'> {
  /** With 'fail', a scenario fails if its nodes leave something open. */
  readonly leaks: 'ignore' | 'fail';
  /** Maximum number of runs for shrinking one failure; 0 turns shrinking off. */
  readonly shrinkRuns: number;
  /**
   * For a replay: the positions of the planned faults to inject (`only`), and the troubles to
   * remove from the link (`without`).
   */
  readonly only?: readonly number[] | undefined;
  readonly without?: readonly LinkTrouble[] | undefined;
}

/** The result of running a seed. */
export interface SeedOutcome {
  readonly seed: number;
  /** Virtual milliseconds that the scenario took. */
  readonly virtual: number;
  readonly failed: FailedRun | undefined;
}

/** Runs seeds, in this thread or in a worker. */
export interface Runner {
  /** Runs seeds in order until `stopAfter` of them have failed. */
  run(seeds: readonly number[], stopAfter: number): Promise<readonly SeedOutcome[]>;
  /** Shrinks the faults of a failed seed. */
  shrink(seed: number, failed: FailedRun): Promise<Shrunk>;
  /** Stops everything that is still running. */
  close(): Promise<void>;
}

/** Runs seeds in the current thread. */
export class LocalRunner implements Runner {
  readonly #scenario: Scenario;
  readonly #options: RunnerOptions;
  readonly #signal: AbortSignal | undefined;

  constructor(scenario: Scenario, options: RunnerOptions, signal?: AbortSignal) {
    this.#scenario = scenario;
    this.#options = options;
    this.#signal = signal;
  }

  async run(seeds: readonly number[], stopAfter: number): Promise<readonly SeedOutcome[]> {
    const outcomes: SeedOutcome[] = [];
    let failures = 0;
    for (const seed of seeds) {
      const outcome = await this.#runSeed(seed, this.#options);
      outcomes.push(outcome);
      if (outcome.failed !== undefined && ++failures === stopAfter) break;
    }
    return outcomes;
  }

  shrink(seed: number, failed: FailedRun): Promise<Shrunk> {
    const { link: given, without = [], shrinkRuns } = this.#options;
    const attempt = async (nemesis: readonly ScheduledFault[], link: RunnerOptions['link']) =>
      (await this.#runSeed(seed, { ...this.#options, nemesis, link, only: undefined, without: [] }))
        .failed;
    return shrinkFailure(failed, withoutTroubles(given, without), attempt, shrinkRuns);
  }

  async close(): Promise<void> {}

  async #runSeed(
    seed: number,
    { leaks, shrinkRuns, nemesis, only, without = [], link, ...options }: RunnerOptions,
  ): Promise<SeedOutcome> {
    // A simulation runs in microtasks only, so let other work of the thread run between two of
    // them.
    await realTurn();
    this.#signal?.throwIfAborted();
    const plan = { schedule: [] as ScheduledFault[], only, planned: 0 };
    const sim = createSimulation({
      seed,
      ...options,
      link: withoutTroubles(link, without),
      nemesis: nemesis && recorded(nemesis, plan),
    });
    let failed: FailedRun | undefined;
    const fail = (error: unknown) => {
      failed ??= failedRun(error, sim.trace, plan);
    };
    try {
      await this.#scenario(sim);
    } catch (error) {
      fail(error);
    }
    const virtual = sim.now;
    try {
      const left = await sim.close();
      if (leaks === 'fail' && left.length > 0)
        throw leaked(
          sim,
          left.map(({ what }) => what),
        );
    } catch (error) {
      fail(error);
    }
    return { seed, virtual, failed };
  }
}

/** Wraps a nemesis so that it leaves out the faults that a replay skips, and records the rest. */
function recorded(
  nemesis: NonNullable<RunnerOptions['nemesis']>,
  record: Recorded,
): NonNullable<RunnerOptions['nemesis']> {
  const take = (faults: readonly ScheduledFault[]) => {
    const left =
      record.only === undefined ? [...faults] : record.only.flatMap((place) => faults[place] ?? []);
    record.planned += faults.length;
    record.schedule.push(...left);
    return left;
  };
  if (!('plan' in nemesis)) return take(nemesis);
  return { name: nemesis.name, plan: (context) => take(nemesis.plan(context)) };
}

interface Recorded {
  readonly schedule: ScheduledFault[];
  readonly only: readonly number[] | undefined;
  planned: number;
}

function leaked(sim: Simulation, what: readonly string[]): SimulationError {
  return new SimulationError(what.join('; '), {
    seed: sim.seed,
    at: sim.now,
    invariant: 'no leaks',
    trace: summaryOf(sim.trace),
  });
}
