// Runs the seeds of a search in a worker thread, which answers one request at a time.

import { brokenSearch, type FailedRun, type Shrunk } from './failure.ts';
import type { RepeatedOutcome, Runner, RunnerOptions, SeedOutcome } from './local-runner.ts';
import { startWorker, type WorkerHandle } from './runtime.ts';

/** The initial data of a worker. */
export interface WorkerData {
  readonly url: string;
  readonly options: RunnerOptions;
}

/** A request to a worker. */
export type WorkerRequest =
  | { readonly do: 'run'; readonly seeds: readonly number[]; readonly stopAfter: number }
  | { readonly do: 'repeat'; readonly seed: number }
  | {
      readonly do: 'shrink';
      readonly seed: number;
      readonly failed: FailedRun;
      readonly record: number;
    };

/** A worker's answer to a request. */
export type WorkerAnswer = { readonly result: unknown } | { readonly error: unknown };

/**
 * Runs seeds in a worker thread. Wait for the answer to a request before you make the next one. If
 * the thread dies, the pending request and all later ones reject.
 */
export class WorkerRunner implements Runner {
  readonly #worker: WorkerHandle;
  readonly #url: string;
  /** The request that the worker is working on. */
  #pending:
    | {
        readonly what: string;
        readonly resolve: (result: any) => void;
        readonly reject: (error: unknown) => void;
      }
    | undefined;
  /** The reason if the worker takes no more requests; undefined while it does. */
  #ended: Error | undefined;

  private constructor(worker: WorkerHandle, url: string) {
    this.#worker = worker;
    this.#url = url;
    worker.onMessage((answer: WorkerAnswer) => this.#settle(answer));
    worker.onEnd((end) => this.#end(end));
  }

  /** Starts a worker. Returns undefined if the runtime has no worker threads. */
  static start(data: WorkerData): WorkerRunner | undefined {
    const worker = startWorker(new URL('./explore-worker.js', import.meta.url), data);
    return worker && new WorkerRunner(worker, data.url);
  }

  run(seeds: readonly number[], stopAfter: number): Promise<readonly SeedOutcome[]> {
    const [first, last] = [seeds[0], seeds.at(-1)];
    return this.#ask(first === last ? `seed ${first}` : `seeds ${first} to ${last}`, {
      do: 'run',
      seeds,
      stopAfter,
    });
  }

  repeat(seed: number): Promise<RepeatedOutcome> {
    return this.#ask(`seed ${seed}`, { do: 'repeat', seed });
  }

  shrink(seed: number, failed: FailedRun, record: number): Promise<Shrunk> {
    return this.#ask(`seed ${seed}`, { do: 'shrink', seed, failed, record });
  }

  /** Ends the thread, no matter what it is doing. A pending request is rejected with `reason`. */
  async close(reason: unknown = new Error('explore: this worker is closed')): Promise<void> {
    this.#ended ??= reason as Error;
    await this.#worker.terminate();
    this.#settle({ error: this.#ended });
  }

  #ask<T>(what: string, request: WorkerRequest): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#pending = { what, resolve, reject };
      this.#worker.post(request);
    });
  }

  #settle(answer: WorkerAnswer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if ('error' in answer) pending?.reject(answer.error);
    else pending?.resolve(answer.result);
  }

  #end(end: { readonly error: unknown } | { readonly code: number }): void {
    const during = this.#pending === undefined ? '' : ` in ${this.#pending.what}`;
    const cause = 'error' in end ? end.error : new Error(`its thread ended with code ${end.code}`);
    this.#ended ??= brokenSearch(`a worker died${during} of ${this.#url}`, cause);
    this.#settle({ error: this.#ended });
  }
}
