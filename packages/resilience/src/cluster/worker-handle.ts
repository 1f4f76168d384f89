// The primary's handle of a worker, which may be a process or a thread.

import type { FromWorker, ToWorker } from './messages.ts';

/** A worker that was started. */
export interface WorkerHandle {
  readonly pid: number;
  /** Undefined for a process. */
  readonly threadId: number | undefined;
  /** Sends a message; has no effect once the worker has ended. */
  send(message: ToWorker): void;
  /** Ends the worker immediately. */
  kill(): void;
}

/** The way in which a worker ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The error that ended the worker, if it is known. */
  readonly error?: unknown;
}

/** Receives the events of a worker; never called before `Spawn` has returned. */
export interface WorkerEvents {
  message(message: FromWorker): void;
  /** Called once, when the worker has ended. */
  exited(exit: Exit): void;
}

/** Starts a worker in a slot. ManagedWorker handles errors that it throws. */
export type Spawn = (slot: number, events: WorkerEvents) => WorkerHandle;

/** The module, arguments and environment of workers; `ClusterOptions` describes them. */
export interface SpawnOptions {
  readonly worker: URL | string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
