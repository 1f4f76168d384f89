// A worker of a search, which is a thread or a process, and the watchdog that ends it if it hangs.
// It answers one request at a time.

import type { FailedRun, StoppedTurn } from './failure.ts';
import type { RunnerOptions } from './local-runner.ts';
import { type Position, Progress } from './progress.ts';
import { repeatEvery, startWorker, type WorkerHandle } from './runtime.ts';

/** The first message to a worker. */
export interface WorkerStart {
  readonly do: 'start';
  /** The module of the scenario. */
  readonly url: string;
  readonly options: RunnerOptions;
}

/** The settings of a worker. */
export interface WorkerSettings {
  readonly isolation: 'thread' | 'process';
  /** Real milliseconds without progress after which the worker is lost. */
  readonly hangTimeout: number;
}

/** A request to a worker. */
export type WorkerRequest =
  | { readonly do: 'run'; readonly seeds: readonly number[]; readonly stopAfter: number }
  | { readonly do: 'repeat'; readonly seed: number }
  | { readonly do: 'stop'; readonly seed: number; readonly stopped: StoppedTurn }
  | {
      readonly do: 'shrink';
      readonly seed: number;
      readonly failed: FailedRun;
      readonly record: number;
      /** False if shrinking was tried, and did not return. */
      readonly shrink: boolean;
    };

/** A worker's answer to a request. */
export type WorkerAnswer = { readonly result: unknown } | { readonly error: unknown };

/** A worker that hung or ended before it answered. */
export class LostWorker extends Error {
  readonly rule: StoppedTurn['rule'];
  /** The point that its last run had reached; undefined if it had begun none. */
  readonly position: Position | undefined;

  constructor(message: string, rule: StoppedTurn['rule'], position: Position | undefined) {
    super(message);
    this.rule = rule;
    this.position = position;
  }
}

/** One worker. After it was lost or closed, all requests reject. */
export class SearchWorker {
  readonly #worker: WorkerHandle;
  readonly #progress: Progress;
  readonly #hangTimeout: number;
  /** The request that the worker is working on. */
  #pending:
    | {
        readonly resolve: (result: any) => void;
        readonly reject: (error: unknown) => void;
        readonly unwatch: () => void;
      }
    | undefined;
  /** The reason if the worker takes no more requests; undefined while it does. */
  #ended: { readonly reason: unknown } | undefined;

  private constructor(worker: WorkerHandle, progress: Progress, hangTimeout: number) {
    this.#worker = worker;
    this.#progress = progress;
    this.#hangTimeout = hangTimeout;
    worker.onMessage((answer: WorkerAnswer) => this.#settle(answer));
    worker.onEnd((what) => this.#lose(what, 'exit'));
  }

  /** Starts a worker. Requires `hasWorkers()`. */
  static start(start: WorkerStart, { isolation, hangTimeout }: WorkerSettings): SearchWorker {
    const progress = new Progress();
    const module = new URL('./explore-worker.js', import.meta.url);
    const worker = startWorker(isolation, module, progress.memory);
    worker.post(start);
    return new SearchWorker(worker, progress, hangTimeout);
  }

  /** True if the worker hung or ended. */
  get isLost(): boolean {
    return this.#ended?.reason instanceof LostWorker;
  }

  /**
   * Rejects with a LostWorker if the worker hangs or ends before it answers. Await it before the
   * next call, which would replace it as the pending request.
   */
  ask<T>(request: WorkerRequest): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended.reason);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, unwatch: this.#watch() };
      this.#worker.post(request);
    });
  }

  /** Ends the worker, no matter what it is doing. A pending request rejects with `reason`. */
  async close(reason: unknown): Promise<void> {
    // The end of a thread that hangs may never come.
    if (this.isLost) return;
    this.#ended = { reason };
    this.#settle({ error: reason });
    await this.#worker.terminate();
  }

  /**
   * Loses the worker if it makes no progress for `hangTimeout`. The time until its first run is not
   * limited, because loading its module may take long.
   */
  #watch(): () => void {
    const timeout = this.#hangTimeout;
    if (timeout === Number.POSITIVE_INFINITY) return () => {};
    const interval = Math.min(timeout / 4, LONGEST_INTERVAL);
    let [count, still] = [this.#progress.count, 0];
    return repeatEvery(interval, () => {
      still = count > 0 && this.#progress.count === count ? still + 1 : 0;
      count = this.#progress.count;
      // Counted in intervals, so that a pause of the whole process is not held against the worker.
      if (still * interval >= timeout)
        this.#lose(`no event ran for ${timeout} ms of real time`, 'hang');
    });
  }

  #lose(what: string, rule: StoppedTurn['rule']): void {
    this.#ended ??= { reason: new LostWorker(what, rule, this.#progress.position) };
    this.#settle({ error: this.#ended.reason });
    // A thread that waits in native code never ends, so nothing waits for it.
    void this.#worker.terminate();
  }

  #settle(answer: WorkerAnswer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.unwatch();
    if ('error' in answer) pending?.reject(answer.error);
    else pending?.resolve(answer.result);
  }
}

/** Maximum number of milliseconds between two looks at the progress. */
const LONGEST_INTERVAL = 1_000;
