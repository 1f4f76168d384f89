// The search for failing seeds: runs many seeds, in this thread or in worker threads, and shrinks
// the faults of those that fail.

import { type ExploreOptions, type SeedSearch, searchOf } from './explore-options.ts';
import { type ExploreFailure, type FailedRun, reported } from './failure.ts';
import { LocalRunner, type Runner, type SeedOutcome } from './local-runner.ts';
import { saveRecording } from './recording-file.ts';
import { environmentReplay, type Replay, replayLine } from './replay-line.ts';
import { hasWorkers, realTime } from './runtime.ts';
import { loadScenario } from './scenario-module.ts';
import { SeedTally } from './seed-tally.ts';
import { WorkerRunner } from './worker-runner.ts';

/** The result of a search. Everything except the speed is independent of the number of workers. */
export interface ExploreResult {
  /**
   * Number of seeds that passed. If the search stopped at a failure, only seeds below the last
   * reported failure are counted.
   */
  readonly passed: number;
  /**
   * Failures, sorted by seed. If the search stopped early, these are the lowest seeds that fail.
   */
  readonly failed: readonly ExploreFailure[];
  /** Simulated time of the counted seeds, in hours. */
  readonly virtualHours: number;
  /** Seeds per second of real time, without shrinking. */
  readonly seedsPerSecond: number;
}

/**
 * Runs a scenario with many seeds, each in its own simulation, and stops when `stopAfter` of them
 * have failed. If no link, nemesis or profile is given, the seeds cycle through all ready-made
 * profiles. Then shrinks the faults of each failure. A failing seed does not make the promise
 * reject: check the result, and throw `failed[0].error` if you like. If the environment variable
 * RECORD names a file, the recording of the first failure is written there: as text if the name
 * ends in '.txt', otherwise as JSON. If several searches of a process fail, further files have the
 * names of their searches, as in 'failure-election.json'.
 *
 * The first seed runs twice. If its two runs differ, no failure could be replayed, so the search
 * rejects with an Error that shows the first event that differs (see `irreproducible`).
 *
 * @throws TypeError if an option, an option that the module exports, or SEED in the environment is
 * invalid; the reason of the signal if it was aborted; an Error that names the module if the module
 * does not load, or if a worker died while it loaded; an Error if two runs of the first seed
 * differ; an Error that names the file of RECORD if it cannot be written.
 */
export async function explore(options: ExploreOptions): Promise<ExploreResult> {
  const given = searchOf(options);
  const scenario = options.name ?? uniqueName(given.name);
  // SEED may name another search of this process; this one then runs as usual.
  const asked = environmentReplay(scenario);
  const search = asked?.scenario === scenario ? replayed(given, asked) : given;
  const { seeds, stopAfter, replay, signal } = search;
  signal?.throwIfAborted();
  const runners = await runnersOf(search, Math.min(search.workers, seeds.length));
  // A LocalRunner checks the signal itself before each run.
  const abort = () => {
    for (const runner of runners)
      if (runner instanceof WorkerRunner) void runner.close(signal!.reason);
  };
  signal?.addEventListener('abort', abort);
  try {
    // The signal may have been aborted while the runners started.
    signal?.throwIfAborted();
    const tally = new SeedTally(seeds, stopAfter);
    const speed = await hunt(runners, tally, search);
    const { passed, failures, virtualHours } = tally.result();
    const failed = await shrunk(runners, failures, async (runner, { seed, run }, place) => {
      const least = await runner.shrink(seed, run, place < MOST_RECORDINGS ? search.record : 0);
      const without = [...(search.options.without ?? []), ...least.without];
      return reported(
        scenario,
        seed,
        least,
        replayLine({ scenario, seed, profile: run.profile, only: least.run.only, without }, replay),
      );
    });
    saveRecording(scenario, failed);
    return { passed, failed, virtualHours, seedsPerSecond: speed };
  } finally {
    signal?.removeEventListener('abort', abort);
    await Promise.all(runners.map((runner) => runner.close()));
  }
}

/**
 * Turns a search into the run that a replay line names: under the profile of the line, with the
 * faults in `only`, and without the link disturbances in `without`. A replay that names faults is
 * not shrunk again, because its schedule is the result of shrinking.
 */
function replayed(search: SeedSearch, { seed, profile, only, without }: Replay): SeedSearch {
  return {
    ...search,
    seeds: [seed],
    options: {
      ...search.options,
      profile,
      only,
      without,
      shrinkRuns: only === undefined ? search.options.shrinkRuns : 0,
    },
  };
}

/** Distinguishes searches with the same default name: 'election', 'election-2'. */
function uniqueName(name: string): string {
  const count = (names.get(name) ?? 0) + 1;
  names.set(name, count);
  return count === 1 ? name : `${name}-${count}`;
}

/** The number of searches of this thread by name. */
const names = new Map<string, number>();

/**
 * Creates the runners: workers if the scenario is a module and the runtime has threads,
 * otherwise this thread.
 */
async function runnersOf(
  { scenario, options, isMovable, isolation, hangTimeout, signal }: SeedSearch,
  workers: number,
): Promise<readonly Runner[]> {
  if (typeof scenario !== 'string') return [new LocalRunner(scenario, options, { signal })];
  if (isMovable && hasWorkers())
    return Array.from(
      { length: workers },
      () => new WorkerRunner(scenario, options, { isolation, hangTimeout }),
    );
  const loaded = await loadScenario(scenario, options);
  return [new LocalRunner(loaded.scenario, loaded.options, { signal })];
}

/**
 * Lets a runner repeat the first seed, unless `irreproducible` is 'ignore'. Then lets every runner
 * take seeds until none are left or enough have failed. Returns the seeds per second.
 */
async function hunt(
  runners: readonly Runner[],
  tally: SeedTally,
  { seeds: { length: seeds }, stopAfter, irreproducible, onProgress }: SeedSearch,
): Promise<number> {
  const began = realTime();
  let told = began;
  const speed = (now: number) => (now > began ? (tally.done * 1_000) / (now - began) : 0);
  const tell = (now: number) => {
    told = now;
    const { done, failed, virtualHours } = tally;
    onProgress({ done, failed, seeds, seedsPerSecond: speed(now), virtualHours });
  };
  const take = async (runner: Runner) => {
    for (let most = 1; ; ) {
      const batch = tally.next(most);
      if (batch.length === 0) return;
      const from = realTime();
      for (const outcome of await runner.run(batch, stopAfter)) tally.add(outcome);
      const now = realTime();
      most = Math.max(
        1,
        Math.min(
          LARGEST_BATCH,
          Math.floor((batch.length * BATCH_TIME) / Math.max(1, now - from)),
          most * 2,
        ),
      );
      if (now - told >= PROGRESS_TIME) tell(now);
    }
  };
  if (irreproducible === 'fail') tally.add(await repeated(runners[0]!, tally.next(1)[0]!));
  await Promise.all(runners.map(take));
  const end = realTime();
  tell(end);
  return speed(end);
}

/** Runs a seed twice, and throws an Error if the two runs differ. */
async function repeated(runner: Runner, seed: number): Promise<SeedOutcome> {
  const { outcome, difference } = await runner.repeat(seed);
  if (difference === undefined) return outcome;
  throw new Error(
    `explore: two runs of seed ${seed} differ, so a failure could not be replayed: ${difference}\n${LOOK_FOR}`,
  );
}

/**
 * Applies `make` to each failure and returns the results in order. Each runner works on one failure
 * at a time.
 */
async function shrunk(
  runners: readonly Runner[],
  failures: readonly { readonly seed: number; readonly run: FailedRun }[],
  make: (
    runner: Runner,
    failure: { readonly seed: number; readonly run: FailedRun },
    place: number,
  ) => Promise<ExploreFailure>,
): Promise<readonly ExploreFailure[]> {
  const made = new Array<ExploreFailure>(failures.length);
  // All runners share one iterator, so that each place is taken once.
  const places = failures.keys();
  const take = async (runner: Runner) => {
    for (const place of places) made[place] = await make(runner, failures[place]!, place);
  };
  await Promise.all(runners.map(take));
  return made;
}

/** Advice to the author of a scenario whose runs differ. */
const LOOK_FOR = `Look for the cause shortly before this event. Usual causes are:
- a time, an id or a random number that a module takes when it is imported, before the simulation
  runs: load such a module with createLoader of @trunkline/simulation/loader
- state of a module, or of the scenario's closure, that the first run changed
- work that ends in real time: files, sockets, threads, import(), subtle crypto
With irreproducible: 'ignore' the search runs all the same, but its failures may not replay.`;

/** Maximum number of failures that are recorded; each recording takes some megabytes. */
const MOST_RECORDINGS = 10;
/** Milliseconds that a batch of seeds should take; the outcomes of a batch arrive together. */
const BATCH_TIME = 50;
/** Maximum number of seeds in a batch. */
const LARGEST_BATCH = 64;
/** Milliseconds between two progress reports. */
const PROGRESS_TIME = 100;
