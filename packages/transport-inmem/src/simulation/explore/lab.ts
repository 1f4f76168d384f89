// Where seeds are run: in this thread, one after the other.

import type { ScheduledFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
import { createSimulation, type Simulation, type SimulationOptions } from '../simulation.ts';
import { realTurn } from '../world/reality.ts';
import { SimulationError } from '../world/simulation-error.ts';
import { type FailedRun, failedRun, type Shrunk } from './failure.ts';
import { shrinkFailure } from './shrink.ts';

/** Declares nodes and drives them; it fails where it rejects. */
export type Scenario = (sim: Simulation) => unknown;

/** What every seed of a search has in common, but for its scenario: plain data, unless its nemesis plans. */
export interface LabOptions extends Pick<SimulationOptions, 'level' | 'link' | 'disk' | 'strict' | 'nemesis'> {
  /** 'fail': a scenario whose nodes leave something behind has failed. */
  readonly leaks: 'ignore' | 'fail';
  /** Runs that the shrinking of one failure may take; 0: it is not shrunk. */
  readonly shrinkRuns: number;
}

/** What came of a seed. */
export interface Outcome {
  readonly seed: number;
  /** Virtual milliseconds that its scenario took. */
  readonly virtual: number;
  readonly failed: FailedRun | undefined;
}

/** Whoever runs seeds: a lab in this thread, or one in a worker. */
export interface Runner {
  /** Runs seeds in order, until so many have failed. */
  run(seeds: readonly number[], stopAfter: number): Promise<readonly Outcome[]>;
  shrink(seed: number, failed: FailedRun): Promise<Shrunk>;
  /** Leaves nothing running. */
  close(): Promise<void>;
}

export class Lab implements Runner {
  readonly #scenario: Scenario;
  readonly #options: LabOptions;
  readonly #signal: AbortSignal | undefined;

  constructor(scenario: Scenario, options: LabOptions, signal?: AbortSignal) {
    this.#scenario = scenario;
    this.#options = options;
    this.#signal = signal;
  }

  async run(seeds: readonly number[], stopAfter: number): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    let failures = 0;
    for (const seed of seeds) {
      const outcome = await this.#runSeed(seed, this.#options);
      outcomes.push(outcome);
      if (outcome.failed !== undefined && ++failures === stopAfter) break;
    }
    return outcomes;
  }

  shrink(seed: number, failed: FailedRun): Promise<Shrunk> {
    const attempt = async (nemesis: readonly ScheduledFault[], link: LabOptions['link']) =>
      (await this.#runSeed(seed, { ...this.#options, nemesis, link })).failed;
    return shrinkFailure(failed, this.#options.link, attempt, this.#options.shrinkRuns);
  }

  async close(): Promise<void> {}

  async #runSeed(seed: number, { leaks, shrinkRuns, nemesis, ...options }: LabOptions): Promise<Outcome> {
    // A simulation runs in microtasks alone: between two the thread's other work has its turn.
    await realTurn();
    this.#signal?.throwIfAborted();
    const planned: ScheduledFault[] = [];
    const sim = createSimulation({ seed, ...options, nemesis: nemesis && recorded(nemesis, planned) });
    let failed: FailedRun | undefined;
    const fail = (error: unknown) => {
      failed ??= failedRun(error, sim.trace, planned);
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

/** The same nemesis; what it plans stands in `planned` too. */
function recorded(nemesis: NonNullable<LabOptions['nemesis']>, planned: ScheduledFault[]): NonNullable<LabOptions['nemesis']> {
  if (!('plan' in nemesis)) {
    planned.push(...nemesis);
    return nemesis;
  }
  const plan: Nemesis['plan'] = (context) => {
    const faults = nemesis.plan(context);
    planned.push(...faults);
    return faults;
  };
  return { name: nemesis.name, plan };
}

function leaked(sim: Simulation, what: readonly string[]): SimulationError {
  const { hash, events, timeline } = sim.trace;
  return new SimulationError(what.join('; '), { seed: sim.seed, at: sim.now, invariant: 'no leaks', trace: { hash, events, timeline } });
}
