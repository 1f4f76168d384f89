// One slot of the cluster, in which a worker always runs: a worker that crashes is replaced.

import type { Clock, Random, TransportError } from '@trunkline/transport-core';
import { backOff } from './back-off.ts';
import type { ManagedWorker } from './managed-worker.ts';

/** The part of the cluster that its slots use. */
export interface SlotHost {
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the cluster closes; its reason is the error for starts in progress. */
  readonly closing: AbortSignal;
  spawn(slot: number): ManagedWorker;
  retrying(slot: number, error: TransportError, retryIn: number): void;
}

/** A slot, which keeps a worker. */
export class Slot {
  readonly number: number;
  /** The worker that has joined; undefined while there is none. */
  #worker: ManagedWorker | undefined = undefined;
  /** The number of consecutive failures: crashes soon after joining, and starts that failed. */
  #failures = 0;
  /** Ends the search for another worker after a crash. */
  #recovery: AbortController | undefined = undefined;
  readonly #host: SlotHost;

  constructor(number: number, host: SlotHost) {
    this.number = number;
    this.#host = host;
  }

  get worker(): ManagedWorker | undefined {
    return this.#worker;
  }

  /**
   * Starts a worker, and resolves when the worker has joined. A failed start is retried after a
   * pause. After `attempts` failed starts, this rejects with the error of the last one; if the
   * signal aborts, with its reason. The caller must install the worker with `take`: otherwise it
   * runs without being replaced when it ends.
   */
  async start(attempts: number, signal: AbortSignal = this.#host.closing): Promise<ManagedWorker> {
    const { clock } = this.#host;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const worker = this.#host.spawn(this.number);
      const stop = () => worker.leave(0, false);
      signal.addEventListener('abort', stop, { once: true });
      const error = await worker.start;
      signal.removeEventListener('abort', stop);
      signal.throwIfAborted();
      if (error === undefined) return worker;
      this.#failures++;
      if (attempt >= attempts) throw error;
      await clock.sleep(this.#pause(error), signal);
    }
  }

  /**
   * Installs a joined worker as the worker of the slot, which is replaced when it ends. Returns its
   * predecessor, which the caller must make leave.
   */
  take(worker: ManagedWorker): ManagedWorker | undefined {
    const before = this.vacate();
    this.#worker = worker;
    void worker.end.then(() => this.recover(worker));
    return before;
  }

  /** Empties the slot, and returns its worker. No other worker is started. */
  vacate(): ManagedWorker | undefined {
    this.#recovery?.abort(REPLACED);
    this.#recovery = undefined;
    const before = this.#worker;
    this.#worker = undefined;
    return before;
  }

  /**
   * Starts workers until one has joined, unless the slot has a worker other than `lost`. A worker
   * that had served for 10 s is replaced immediately.
   */
  recover(lost?: ManagedWorker): void {
    const { closing } = this.#host;
    if (this.#worker !== lost || this.#recovery !== undefined || closing.aborted) return;
    this.#worker = undefined;
    const recovery = new AbortController();
    this.#recovery = recovery;
    const signal = AbortSignal.any([closing, recovery.signal]);
    const search = async () => {
      if (lost !== undefined) await this.#afterCrash(lost, signal);
      const worker = await this.start(Number.POSITIVE_INFINITY, signal);
      this.#recovery = undefined;
      this.take(worker);
    };
    // The search fails only if the cluster closes or the slot got another worker.
    search().catch(() => {});
  }

  async #afterCrash(lost: ManagedWorker, signal: AbortSignal): Promise<void> {
    this.#failures = lost.served >= STABLE ? 0 : this.#failures + 1;
    if (this.#failures > 0) await this.#host.clock.sleep(this.#pause(lost.loss), signal);
  }

  /** Returns the number of milliseconds until the next start. */
  #pause(error: TransportError): number {
    const pause = backOff(this.#failures, this.#host.random);
    this.#host.retrying(this.number, error, pause);
    return pause;
  }
}

const REPLACED = new Error('another worker has the slot');
/** A worker that has served for this long counts as stable; in milliseconds. */
const STABLE = 10_000;
