/// <reference lib="esnext.disposable" preserve="true" />
// The public interface of a cluster, as its primary sees it.

import type { Metric, MetricDefinition } from '@trunkline/telemetry';
import type {
  Clock,
  ErrorCode,
  Random,
  TransportError,
  TransportSnapshot,
} from '@trunkline/transport-core';
import type { TransportCounter } from '@trunkline/transport-core/backend';

/**
 * The kind of a worker: a process of its own (`node:cluster`), or a thread of this process. Threads
 * share the port through `reusePort`.
 */
export type ClusterWorkerKind = 'process' | 'thread';

/** Options of `createCluster`; only `worker` is required. */
export interface ClusterOptions {
  /**
   * The module that each worker runs, such as `new URL('./worker.js', import.meta.url)`, or the
   * path of a file. It creates a transport, listens, and calls `joinCluster`.
   */
  readonly worker: URL | string;
  /** The number of workers, 1 to 1,024. Default: `os.availableParallelism()`. */
  readonly workers?: number | undefined;
  /**
   * The kind of the workers. 'auto' means threads if listeners of this platform can share a port,
   * otherwise processes. Default: 'process'.
   */
  readonly kind?: ClusterWorkerKind | 'auto' | undefined;
  /** The arguments of each worker, which follow the script in `process.argv`. Default: none. */
  readonly args?: readonly string[] | undefined;
  /** Variables that are added to the environment of each worker. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /**
   * The time, in milliseconds, within which a worker must join after its start. Default: 30,000.
   */
  readonly startTimeout?: number | undefined;
  /**
   * The time, in milliseconds, after which a worker whose event loop does not run is ended and
   * replaced: it is in an endless loop, waits synchronously, or was stopped. The time in which the
   * primary itself was busy is left out. Set it well above the longest time for which a handler
   * blocks its worker. Default: none, so a worker that hangs stays.
   */
  readonly hangTimeout?: number | undefined;
  /**
   * The time, in milliseconds, that calls in flight get to finish when their worker leaves. A
   * worker that has not ended 5 s after that is killed. Default: 10,000.
   */
  readonly grace?: number | undefined;
  /**
   * The order in which `restart` proceeds. True starts all new workers before the old ones leave,
   * so that twice as many workers run for a while. False replaces one worker after another, so that
   * no two workers ever have the same slot. Default: true.
   */
  readonly overlap?: boolean | undefined;
  /** Receives events. Errors that it throws are ignored. */
  readonly onEvent?: ((event: ClusterEvent) => void) | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
  /** The source of the random part of back-offs. Default: the system's cryptographic source. */
  readonly random?: Random | undefined;
}

/** An event of a cluster. `slot` is the number of a worker, from 0. */
export type ClusterEvent =
  /** A worker has joined: it listens on these addresses. */
  | {
      readonly type: 'joined';
      readonly slot: number;
      readonly pid: number;
      readonly addresses: readonly string[];
    }
  /**
   * A worker has not answered for `silent` milliseconds, which is at least `hangTimeout`. It is
   * ended; 'exited' follows.
   */
  | {
      readonly type: 'hung';
      readonly slot: number;
      readonly pid: number;
      readonly silent: number;
    }
  /**
   * A worker ended. `expected` is true if the worker was asked to leave, or left cleanly by itself.
   */
  | {
      readonly type: 'exited';
      readonly slot: number;
      readonly pid: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly expected: boolean;
    }
  /**
   * A worker could not be started, or ended early. Another one starts `retryIn` milliseconds later.
   * Not sent if it starts immediately.
   */
  | {
      readonly type: 'retrying';
      readonly slot: number;
      readonly error: TransportError;
      readonly retryIn: number;
    };

/** A running cluster. */
export interface Cluster extends AsyncDisposable {
  /** The kind of the workers. */
  readonly kind: ClusterWorkerKind;
  /**
   * True while the cluster is open and at least one worker has joined, answers, and does not leave.
   * `healthHandler(cluster)` of `@trunkline/resilience/health` answers probes with it.
   */
  readonly isReady: boolean;
  /** Returns the state of all workers. A worker that does not answer in time has an `error`. */
  snapshot(options?: ClusterSnapshotOptions): Promise<ClusterSnapshot>;
  /**
   * The metrics of all workers, for `exportMetrics` of `@trunkline/telemetry/prometheus`. Throws
   * `failed_precondition` if `@trunkline/telemetry` isn't installed.
   */
  readonly metrics: ClusterMetrics;
  /**
   * Replaces all workers with new ones, which load the worker module again. Old workers leave
   * cleanly: their callers dial again, and calls in flight get up to `grace` to finish. Rejects if
   * a new worker fails to start three times, with the last failure: `failed_precondition` if it has
   * ended, `deadline_exceeded` if it has not joined in time. The workers that have not been
   * replaced yet then stay. Rejects with `shutdown` if the cluster closes. If a restart is already
   * running, another one begins after it, and further calls share that second restart.
   */
  restart(): Promise<void>;
  /**
   * Takes all workers out of service. New calls are refused with `unavailable` (reason `draining`),
   * and calls in flight get up to `grace` to finish. Then the workers close and end; those that
   * have not joined are killed immediately. Resolves when all have ended. Idempotent.
   */
  close(): Promise<void>;
}

/** Options of a snapshot of a cluster. */
export interface ClusterSnapshotOptions {
  /** The time, in milliseconds, within which the workers must answer. Default: 1,000. */
  readonly timeout?: number | undefined;
}

/** The state of a cluster at one moment. It can be serialized as JSON. */
export interface ClusterSnapshot {
  /** The time of the snapshot in milliseconds, on the clock of the primary. */
  readonly at: number;
  readonly kind: ClusterWorkerKind;
  /** 'closing' from `close()` until the last worker has ended. */
  readonly state: 'open' | 'closing' | 'closed';
  /** All running workers, including those that are leaving, ordered by slot, older ones first. */
  readonly workers: readonly ClusterWorkerSnapshot[];
  /** The sums over all workers that answered. */
  readonly total: ClusterTotal;
}

/** The state of one worker at one moment. */
export interface ClusterWorkerSnapshot {
  /** The number of the worker, from 0. During a restart, two workers may have the same number. */
  readonly slot: number;
  /** The process id of the worker. */
  readonly pid: number;
  /** The id of the thread; undefined for a process. */
  readonly threadId?: number | undefined;
  /** 'hung' while a worker that exceeded `hangTimeout` has not ended yet. */
  readonly state: 'starting' | 'ready' | 'hung' | 'leaving';
  /** The time since the worker was started, in milliseconds. */
  readonly age: number;
  /** The number of workers that had this slot before. */
  readonly restarts: number;
  /** The number of those that were ended because they hung. */
  readonly hangs: number;
  /** The number of the worker's connections. */
  readonly connections?: number | undefined;
  /** The state of the worker's transport, with at most 1,000 connections. */
  readonly transport?: TransportSnapshot | undefined;
  /**
   * The reason why `transport` is missing: `deadline_exceeded` if the worker did not answer.
   * Undefined for a worker that is starting.
   */
  readonly error?: { readonly code: ErrorCode; readonly message: string } | undefined;
}

/** Sums over workers. Sizes are bytes. */
export interface ClusterTotal {
  /** The number of workers that answered. */
  readonly workers: number;
  readonly connections: number;
  readonly calls: { readonly made: number; readonly served: number };
  /** The number of calls that wait for a reader. */
  readonly waiting: number;
  readonly memory: number;
  readonly bytes: { readonly in: number; readonly out: number };
  readonly errors: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly counters: Readonly<Partial<Record<TransportCounter, number>>>;
}

/** The metrics of all workers. Each point has the attribute `worker`, which is the slot. */
export interface ClusterMetrics {
  /** The metrics that `collect` returns, without points. */
  readonly definitions: readonly MetricDefinition[];
  /**
   * Returns the metrics of the workers that have joined and passed `metrics` to `joinCluster`. A
   * worker that is leaving, or does not answer within a second, is left out.
   */
  collect(): Promise<readonly Metric[]>;
}
