/// <reference lib="esnext.disposable" preserve="true" />
// The primary of a cluster: keeps a worker in each slot, replaces all of them on request, and ends
// them.

import type { MetricDefinition } from '@trunkline/telemetry';
import { type Clock, type Random, TransportError } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import { WorkerMetrics } from './cluster-metrics.ts';
import { takeSnapshot } from './cluster-snapshot.ts';
import { ManagedWorker, type WorkerObserver } from './managed-worker.ts';
import { Slot, type SlotHost } from './slot.ts';
import type {
  Cluster,
  ClusterEvent,
  ClusterMetrics,
  ClusterSnapshot,
  ClusterSnapshotOptions,
  ClusterWorkerKind,
} from './types.ts';
import type { Exit, Spawn } from './worker-handle.ts';

/** The options of a supervisor, with defaults filled in. */
export interface SupervisorOptions {
  readonly kind: ClusterWorkerKind;
  readonly workers: number;
  readonly startTimeout: number;
  readonly hangTimeout: number | undefined;
  readonly grace: number;
  readonly overlap: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly spawn: Spawn;
  readonly onEvent: ((event: ClusterEvent) => void) | undefined;
  /** The metrics that workers may have; undefined if the package telemetry isn't installed. */
  readonly definitions: readonly MetricDefinition[] | undefined;
}

/** A cluster. */
export class Supervisor implements Cluster, SlotHost, WorkerObserver {
  readonly kind: ClusterWorkerKind;
  readonly clock: Clock;
  /** Undefined if the package telemetry isn't installed. */
  readonly #metrics: ClusterMetrics | undefined;
  readonly random: Random;
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  /** All workers that have not ended. */
  readonly #workers = new Set<ManagedWorker>();
  /** The number of workers that each slot has had. */
  readonly #spawned: number[];
  /** The number of workers of each slot that hung. */
  readonly #hangs: number[];
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined = undefined;
  #isClosed = false;
  #restart: Promise<void> | undefined = undefined;
  #nextRestart: Promise<void> | undefined = undefined;

  constructor(options: SupervisorOptions) {
    const { kind, workers, clock, random, definitions } = options;
    this.kind = kind;
    this.clock = clock;
    this.random = random;
    this.#options = options;
    this.#slots = Array.from({ length: workers }, (_, number) => new Slot(number, this));
    this.#spawned = this.#slots.map(() => 0);
    this.#hangs = this.#slots.map(() => 0);
    this.#metrics = definitions && new WorkerMetrics(definitions, () => this.#joined);
  }

  /** Resolves when all workers have joined. If one of them can't, ends all workers and rejects. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#slots.map(async (slot) => slot.take(await slot.start(ATTEMPTS))));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get metrics(): ClusterMetrics {
    if (this.#metrics !== undefined) return this.#metrics;
    throw new TransportError(
      'failed_precondition',
      'cluster.metrics needs @trunkline/telemetry: npm install @trunkline/telemetry',
    );
  }

  get isReady(): boolean {
    return this.#closed === undefined && this.#joined.length > 0;
  }

  async snapshot(options: ClusterSnapshotOptions = {}): Promise<ClusterSnapshot> {
    refuseUnknown(options, 'cluster.snapshot', ['timeout']);
    const { timeout = 1_000 } = options;
    const closing = this.#closed === undefined ? 'open' : 'closing';
    const workers = [...this.#workers].sort((a, b) => a.slot - b.slot || a.started - b.started);
    return takeSnapshot(workers, timeout, {
      at: this.clock.now(),
      kind: this.kind,
      state: this.#isClosed ? 'closed' : closing,
    });
  }

  restart(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    if (this.#restart === undefined) {
      const restart = this.#replaceAll().finally(() => (this.#restart = undefined));
      this.#restart = restart;
      return restart;
    }
    this.#nextRestart ??= this.#restart
      .catch(() => {})
      .then(() => {
        this.#nextRestart = undefined;
        return this.restart();
      });
    return this.#nextRestart;
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Members that the slots use:

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  spawn(slot: number): ManagedWorker {
    const { spawn, startTimeout, hangTimeout } = this.#options;
    const worker = new ManagedWorker({
      slot,
      restarts: this.#spawned[slot]!++,
      hangs: this.#hangs[slot]!,
      spawn,
      clock: this.clock,
      startTimeout,
      hangTimeout,
      observer: this,
    });
    this.#workers.add(worker);
    return worker;
  }

  retrying(slot: number, error: TransportError, retryIn: number): void {
    this.#tell({ type: 'retrying', slot, error, retryIn });
  }

  // Members that the workers use:

  joined({ slot, handle }: ManagedWorker, addresses: readonly string[]): void {
    this.#tell({ type: 'joined', slot, pid: handle.pid, addresses });
  }

  hung({ slot, handle }: ManagedWorker, silent: number): void {
    this.#hangs[slot]!++;
    this.#tell({ type: 'hung', slot, pid: handle.pid, silent });
  }

  leaving(worker: ManagedWorker): void {
    this.#slots[worker.slot]!.recover(worker);
  }

  exited(worker: ManagedWorker, { code, signal }: Exit): void {
    this.#workers.delete(worker);
    const { slot, handle, state } = worker;
    const expected = state === 'leaving';
    this.#tell({ type: 'exited', slot, pid: handle.pid, code, signal, expected });
  }

  /** The workers that have joined and do not leave or hang, at most one for each slot. */
  get #joined(): ManagedWorker[] {
    return this.#slots.flatMap(({ worker }) => (worker?.state === 'ready' ? [worker] : []));
  }

  async #replaceAll(): Promise<void> {
    if (this.#options.overlap) await this.#replaceAtOnce();
    else for (const slot of this.#slots) await this.#replaceOne(slot);
  }

  /**
   * Starts all new workers before the old ones leave. If the old workers left one after the other,
   * those still running would get most of the connections that clients dial again.
   */
  async #replaceAtOnce(): Promise<void> {
    const old: ManagedWorker[] = [];
    try {
      for (const slot of this.#slots) {
        const before = slot.take(await slot.start(ATTEMPTS));
        if (before !== undefined) old.push(before);
      }
    } finally {
      for (const worker of old) worker.leave(this.#options.grace, false);
      await Promise.all(old.map(({ end }) => end));
    }
  }

  async #replaceOne(slot: Slot): Promise<void> {
    const before = slot.vacate();
    before?.leave(this.#options.grace, false);
    await before?.end;
    try {
      slot.take(await slot.start(ATTEMPTS));
    } catch (error) {
      slot.recover();
      throw error;
    }
  }

  async #end(): Promise<void> {
    this.#closing.abort(new TransportError('shutdown', 'the cluster was closed'));
    const workers = [...this.#workers];
    for (const worker of workers) worker.leave(this.#options.grace, true);
    await Promise.all(workers.map(({ end }) => end));
    this.#isClosed = true;
  }

  #tell(event: ClusterEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // Errors of an observer are ignored, as documented.
    }
  }
}

/**
 * The number of consecutive failed starts of a worker after which the start or restart of the
 * cluster fails; `createCluster` and `Cluster.restart` document it.
 */
const ATTEMPTS = 3;
