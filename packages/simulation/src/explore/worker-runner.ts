// Runs the seeds of a search in a worker. If a seed hangs or ends the worker, it is reported as a
// failure, and a new worker continues.

import { SimulationError } from '../kernel/simulation-error.ts';
import type { TraceSummary } from '../kernel/trace.ts';
import { brokenSearch, type FailedRun, failedRun, type Shrunk } from './failure.ts';
import type { RepeatedOutcome, Runner, RunnerOptions, SeedOutcome } from './local-runner.ts';
import type { Position } from './progress.ts';
import {
  LostWorker,
  SearchWorker,
  type WorkerRequest,
  type WorkerSettings,
  type WorkerStart,
} from './search-worker.ts';

/** Runs seeds in a worker. Await each request before you make the next one. */
export class WorkerRunner implements Runner {
  readonly #data: WorkerStart;
  readonly #settings: WorkerSettings;
  /** The current worker; undefined if the next request needs a new one. */
  #worker: SearchWorker | undefined;
  #closed: { readonly reason: unknown } | undefined;

  /**
   * Starts a worker. Requires `hasWorkers()`.
   *
   * @param url the module of the scenario.
   */
  constructor(url: string, options: RunnerOptions, settings: WorkerSettings) {
    this.#data = { do: 'start', url, options };
    this.#settings = settings;
    this.#worker = this.#start();
  }

  async run(seeds: readonly number[], stopAfter: number): Promise<readonly SeedOutcome[]> {
    if (seeds.length === 0) return [];
    const ran = await this.#ask<readonly SeedOutcome[]>({ do: 'run', seeds, stopAfter });
    if (!(ran instanceof LostWorker)) return ran;
    const place = seeds.indexOf(this.#seedOf(ran).seed);
    // An earlier seed, which had passed, left something behind that stopped the thread.
    if (place < 0) return this.run(seeds, stopAfter);
    // The outcomes of a batch arrive together, so those before are lost, too.
    const outcomes = [...(await this.run(seeds.slice(0, place), stopAfter))];
    const left = () => stopAfter - outcomes.filter(({ failed }) => failed !== undefined).length;
    if (left() > 0) outcomes.push(await this.#stopped(ran));
    if (left() > 0) outcomes.push(...(await this.run(seeds.slice(place + 1), left())));
    return outcomes;
  }

  async repeat(seed: number): Promise<RepeatedOutcome> {
    const repeated = await this.#ask<RepeatedOutcome>({ do: 'repeat', seed });
    if (!(repeated instanceof LostWorker)) return repeated;
    // There is no second run to compare, so the seed counts as a failure, not as a difference.
    return { outcome: await this.#stopped(repeated), difference: undefined };
  }

  async shrink(seed: number, failed: FailedRun, record: number): Promise<Shrunk> {
    const request = { do: 'shrink', seed, failed } as const;
    const bare = { run: failed, link: undefined, without: [], note: undefined };
    if (failed.stopped?.turn === 0) return bare;
    const shrunk = await this.#ask<Shrunk>({ ...request, record, shrink: true });
    if (failed.stopped !== undefined) this.#replace();
    if (!(shrunk instanceof LostWorker)) return shrunk;
    const whole = await this.#ask<Shrunk>({ ...request, record: 0, shrink: false });
    const note = `(shrinking stopped, because a run did not return: ${shrunk.message})`;
    return whole instanceof LostWorker ? { ...bare, note } : { ...whole, note };
  }

  /** Ends the worker, no matter what it is doing. A pending request is rejected with `reason`. */
  async close(reason: unknown = new Error('explore: this worker is closed')): Promise<void> {
    this.#closed = { reason };
    await this.#worker?.close(reason);
  }

  /** Asks the worker; if it was lost before, a new one. Resolves to a LostWorker if it is lost. */
  async #ask<T>(request: WorkerRequest): Promise<T | LostWorker> {
    if (this.#closed !== undefined) throw this.#closed.reason;
    if (this.#worker === undefined || this.#worker.isLost) this.#worker = this.#start();
    try {
      return await this.#worker.ask<T>(request);
    } catch (error) {
      if (error instanceof LostWorker) return error;
      throw error;
    }
  }

  /** Reports the seed that a worker was running when it was lost, with its run up to that point. */
  async #stopped(lost: LostWorker): Promise<SeedOutcome> {
    const { seed, turns, at } = this.#seedOf(lost);
    const stopped = { turn: turns, rule: lost.rule, what: lost.message };
    if (turns > 0) {
      const outcome = await this.#ask<SeedOutcome | undefined>({ do: 'stop', seed, stopped });
      this.#replace();
      if (outcome !== undefined && !(outcome instanceof LostWorker)) return outcome;
    }
    const error = new SimulationError(lost.message, {
      seed,
      at,
      invariant: stopped.rule,
      trace: UNKNOWN,
    });
    const plan = { profile: undefined, schedule: [], only: undefined, planned: 0 };
    const failed = failedRun(error, UNKNOWN, plan, undefined);
    return { seed, virtual: at, failed: { ...failed, stopped: { ...stopped, turn: 0 } } };
  }

  /** Ends a worker that may still contain code that hangs; the next request gets a new one. */
  #replace(): void {
    void this.#worker?.close(new Error('explore: this worker was replaced'));
    this.#worker = undefined;
  }

  #start(): SearchWorker {
    return SearchWorker.start(this.#data, this.#settings);
  }

  #seedOf(lost: LostWorker): Position {
    if (lost.position !== undefined) return lost.position;
    throw brokenSearch(`a worker was lost while it loaded the module ${this.#data.url}`, lost);
  }
}

/** The trace of a run that could not be repeated. */
const UNKNOWN: TraceSummary = { hash: '', events: 0, timeline: [], states: {}, nodes: [] };
