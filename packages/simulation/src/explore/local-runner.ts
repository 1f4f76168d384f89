// Runs the seeds of a search in the current thread, one after the other.

import type { ScheduledFault } from '../faults/fault.ts';
import { realTurn } from '../kernel/nondeterminism-guard.ts';
import { SimulationError } from '../kernel/simulation-error.ts';
import { summaryOf, type Trace, type TraceSummary } from '../kernel/trace.ts';
import { createSimulation, type Simulation } from '../simulation.ts';
import type { SimulationOptions } from '../simulation-options.ts';
import { type FailedRun, failedRun, type Shrunk, type StoppedTurn } from './failure.ts';
import { type LinkTrouble, withoutTroubles } from './link-troubles.ts';
import { type ExploreProfile, type ProfileName, profileOf, profilesOf } from './profiles.ts';
import type { Progress } from './progress.ts';
import { type Attempt, shrinkFailure } from './shrink.ts';
import { TraceComparison } from './trace-comparison.ts';

/**
 * A scenario of a search: it declares nodes on the simulation and runs them, and fails by
 * rejecting.
 */
export type Scenario = (sim: Simulation) => unknown;

/**
 * The options that all seeds of a search share, except the scenario. They are plain data unless a
 * nemesis, also that of a profile, is an object that plans.
 */
export interface RunnerOptions
  extends Pick<SimulationOptions, 'level' | 'link' | 'disk' | 'strict' | 'nemesis'> {
  /** The profiles that the seeds use in turn. */
  readonly profiles?: readonly (ProfileName | ExploreProfile)[] | undefined;
  /** With 'fail', a scenario fails if its nodes leave resources open. */
  readonly leaks: 'ignore' | 'fail';
  /** Maximum number of runs for shrinking one failure; 0 turns shrinking off. */
  readonly shrinkRuns: number;
  /**
   * For a replay: the name of the profile, the positions of the planned faults to inject (`only`),
   * and the disturbances to remove from the link (`without`).
   */
  readonly profile?: string | undefined;
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

/** The result of running a seed twice. */
export interface RepeatedOutcome {
  /** The outcome of the first run. */
  readonly outcome: SeedOutcome;
  /** Describes how the second run differs; undefined if it is equal. */
  readonly difference: string | undefined;
}

/** Runs seeds, in this thread or in a worker. */
export interface Runner {
  /** Runs seeds in order until `stopAfter` of them have failed. */
  run(seeds: readonly number[], stopAfter: number): Promise<readonly SeedOutcome[]>;
  /** Runs a seed twice and compares the two runs. */
  repeat(seed: number): Promise<RepeatedOutcome>;
  /**
   * Shrinks the faults of a failed seed, and then repeats the run to record up to `record` events
   * of it, unless `record` is 0.
   */
  shrink(seed: number, failed: FailedRun, record: number): Promise<Shrunk>;
  /** Ends the worker, if there is one; a run in the current thread goes on. */
  close(): Promise<void>;
}

/** Runs seeds in the current thread. */
export class LocalRunner implements Runner {
  readonly #scenario: Scenario;
  readonly #options: RunnerOptions;
  readonly #profiles: readonly ExploreProfile[];
  readonly #signal: AbortSignal | undefined;
  readonly #progress: Progress | undefined;

  /**
   * @param progress counts the turns of all runs.
   * @throws TypeError if a profile is invalid, or if `options.profile` is not among them.
   */
  constructor(
    scenario: Scenario,
    options: RunnerOptions,
    {
      signal,
      progress,
    }: { readonly signal?: AbortSignal | undefined; readonly progress?: Progress },
  ) {
    this.#scenario = scenario;
    this.#options = options;
    this.#profiles = profilesOf(options);
    this.#signal = signal;
    this.#progress = progress;
    if (options.profile !== undefined) this.#profileNamed(options.profile);
  }

  async run(seeds: readonly number[], stopAfter: number): Promise<readonly SeedOutcome[]> {
    const outcomes: SeedOutcome[] = [];
    let failures = 0;
    for (const seed of seeds) {
      const outcome = await this.#runSeed(seed, this.#runOf(seed));
      outcomes.push(outcome);
      if (outcome.failed !== undefined && ++failures === stopAfter) break;
    }
    return outcomes;
  }

  async repeat(seed: number): Promise<RepeatedOutcome> {
    const comparison = new TraceComparison();
    const run = this.#runOf(seed);
    const first = await this.#runSeed(seed, run, {
      onRecord: (event) => comparison.keep(event),
    });
    const second = await this.#runSeed(seed, run, {
      onRecord: (event) => comparison.compare(event),
    });
    const { hash, events: _, ...outcome } = first;
    if (hash !== second.hash) return { outcome, difference: comparison.difference() };
    const [one, other] = [endOf(first), endOf(second)];
    return {
      outcome,
      difference:
        one === other
          ? undefined
          : `their traces are equal, but the first ${one}, and the second ${other}`,
    };
  }

  /**
   * Repeats a seed up to the turn that hung or ended the thread, and fails there. Returns undefined
   * if the run does not get there. Only a runner with `progress` counts turns.
   */
  async stop(seed: number, stopped: StoppedTurn): Promise<SeedOutcome | undefined> {
    const outcome = await this.#runSeed(seed, this.#runOf(seed), { stopped });
    return outcome.failed?.stopped === undefined ? undefined : outcome;
  }

  /** @param shrink false to skip the search for a smaller schedule, and only record. */
  async shrink(seed: number, failed: FailedRun, record: number, shrink = true): Promise<Shrunk> {
    const run = this.#runOf(seed);
    const { profile, link: given } = run;
    const { stopped } = failed;
    if (stopped !== undefined) {
      const again =
        record > 0 ? (await this.#runSeed(seed, run, { record, stopped })).failed : undefined;
      const same = again?.trace.hash === failed.trace.hash ? again : failed;
      return { run: same, link: given, without: [], note: NOT_SHRUNK };
    }
    const most = shrink ? this.#options.shrinkRuns : 0;
    const attempt: Attempt = (nemesis, link, end) =>
      this.#runSeed(seed, { profile, nemesis, link, only: undefined }, { end });
    const shrunk = await shrinkFailure(failed, given, attempt, most);
    if (record === 0) return shrunk;
    const { schedule, only, planned, trace, at } = shrunk.run;
    const last = { profile, nemesis: schedule, link: shrunk.link, only: undefined };
    const again = (await this.#runSeed(seed, last, { record, until: at })).failed;
    if (again?.trace.hash !== trace.hash) return shrunk;
    return { ...shrunk, run: { ...again, schedule, only, planned } };
  }

  async close(): Promise<void> {}

  /**
   * Returns the conditions of a seed: those of its profile, without the faults and disturbances
   * that a replay removes.
   */
  #runOf(seed: number): Run {
    const { profile: asked, link, nemesis, only, without = [] } = this.#options;
    const profile =
      asked === undefined ? profileOf(this.#profiles, seed) : this.#profileNamed(asked);
    return {
      profile: profile?.name,
      link: withoutTroubles(profile?.link ?? link, without),
      nemesis: profile?.nemesis ?? nemesis,
      only,
    };
  }

  #profileNamed(name: string): ExploreProfile {
    const profile = this.#profiles.find((each) => each.name === name);
    if (profile !== undefined) return profile;
    const names = this.#profiles.map((each) => each.name).join(', ') || 'none';
    throw new TypeError(
      `explore: SEED names the profile '${name}', which this search does not have; its profiles: ${names}`,
    );
  }

  async #runSeed(
    seed: number,
    { profile, nemesis, link, only }: Run,
    { onRecord, record = 0, until, end = Number.POSITIVE_INFINITY, stopped }: Observation = {},
  ): Promise<SeedOutcome & { readonly hash: string; readonly events: number }> {
    // A simulation may run in microtasks only, so let other work of the thread run between two of
    // them.
    await realTurn();
    this.#signal?.throwIfAborted();
    const progress = this.#progress;
    progress?.begin(seed);
    const { level, disk, strict, leaks } = this.#options;
    const plan = { profile, schedule: [] as ScheduledFault[], only, planned: 0 };
    const sim = createSimulation({
      seed,
      level,
      disk,
      strict,
      link,
      record,
      nemesis: nemesis && recorded(nemesis, plan),
    });
    const trace = sim.trace as Trace;
    trace.onRecord = onRecord;
    let moment: TraceSummary | undefined;
    if (end < Number.POSITIVE_INFINITY)
      trace.onAdvance = (to) => {
        if (to > end) throw new Error(`stopped at ${end} ms`);
      };
    if (until !== undefined)
      trace.onAdvance = (to) => {
        if (to <= until || moment !== undefined) return;
        moment = summaryOf(trace);
        trace.recorder?.stop();
      };
    let failed: FailedRun | undefined;
    const fail = (error: unknown, stop?: StoppedTurn) => {
      const { hash, events } = trace;
      failed ??= failedRun(
        error,
        moment ? { ...moment, hash, events } : trace,
        { ...plan, stopped: stop },
        sim.recording,
      );
    };
    if (progress !== undefined)
      trace.onTurn = (owner) => {
        const turn = progress.turn(sim.now);
        if (stopped === undefined || turn < stopped.turn) return;
        const error = stoppedAt(sim, owner, stopped);
        fail(error, stopped);
        throw error;
      };
    try {
      await this.#scenario(sim);
    } catch (error) {
      fail(error);
    }
    const virtual = sim.now;
    try {
      const left = await sim.end(failed !== undefined);
      if (leaks === 'fail' && left.length > 0)
        throw leaked(
          sim,
          left.map(({ what }) => what),
        );
    } catch (error) {
      fail(error);
    }
    return { seed, virtual, failed, hash: trace.hash, events: trace.events };
  }
}

/** How a run is observed. With `until`, `end` has no effect, because both use `onAdvance`. */
interface Observation {
  readonly onRecord?: Trace['onRecord'];
  /** Number of most recent events to record. Default 0. */
  readonly record?: number;
  /** The virtual time at which the recording and the report of the nodes end. Default: the end. */
  readonly until?: number | undefined;
  /** The virtual time at which the run is stopped with an error. Default: never. */
  readonly end?: number;
  /** The turn at which the run fails instead of running it. Default: none. */
  readonly stopped?: StoppedTurn;
}

/** The conditions of one run. */
interface Run {
  /** The name of the profile that the conditions come from, if any. */
  readonly profile: string | undefined;
  readonly link: RunnerOptions['link'];
  readonly nemesis: RunnerOptions['nemesis'];
  /** The positions of the planned faults to inject; undefined for all. */
  readonly only: readonly number[] | undefined;
}

/** Describes the end of a run, to compare it with another run of the same seed. */
function endOf({ failed }: SeedOutcome): string {
  return failed === undefined ? 'passed' : `failed with ${failed.name}`;
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

function stoppedAt(sim: Simulation, owner: string, { rule, what }: StoppedTurn): SimulationError {
  return new SimulationError(`${what}; the last to run was ${owner}`, {
    seed: sim.seed,
    at: sim.now,
    invariant: rule,
    trace: summaryOf(sim.trace),
  });
}

function leaked(sim: Simulation, what: readonly string[]): SimulationError {
  return new SimulationError(what.join('; '), {
    seed: sim.seed,
    at: sim.now,
    invariant: 'no leaks',
    trace: summaryOf(sim.trace),
  });
}

const NOT_SHRUNK = '(a seed that hangs or ends its thread is not shrunk)';
