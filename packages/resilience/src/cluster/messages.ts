// The messages between the primary and its workers.

import type { TransportSnapshot } from '@trunkline/transport-core';

/** The questions of the primary. */
export type Question = 'snapshot' | 'metrics';

/** A message from the primary to a worker. */
export type ToWorker = Tagged &
  (
    | {
        readonly type: 'leave';
        /** The time, in milliseconds, that calls in flight get to finish. */
        readonly grace: number;
        /** False if the worker's address leads to other workers, too. */
        readonly refuse: boolean;
      }
    | { readonly type: 'ask'; readonly what: Question }
    /** Asks whether the worker's event loop runs; the answer is 'pong'. */
    | { readonly type: 'ping' }
  );

/** A message from a worker to the primary. */
export type FromWorker = Tagged &
  (
    | { readonly type: 'joined'; readonly addresses: readonly string[] }
    | { readonly type: 'pong' }
    /** The worker leaves by itself, for example because of a signal. */
    | { readonly type: 'leaving'; readonly grace: number }
    | {
        readonly type: 'answer';
        readonly what: Question;
        readonly value?: unknown;
        /** The reason why there is no value. */
        readonly error?: string | undefined;
      }
  );

/** The answer to 'snapshot'. */
export interface TransportState {
  /** The number of all connections. */
  readonly connections: number;
  /** The snapshot, which lists at most `MOST_CONNECTIONS` connections. */
  readonly transport: TransportSnapshot;
}

/** The tag of a cluster's messages. Messages of the application over the same channel lack it. */
interface Tagged {
  readonly trunkline: 'cluster';
}

export const TAG: Tagged = { trunkline: 'cluster' };

/** Maximum number of connections in the answer to 'snapshot'. They take about half a megabyte. */
export const MOST_CONNECTIONS = 1_000;

/** Returns true for a message of a cluster. */
export function isTagged(message: unknown): boolean {
  return (message as Tagged | null | undefined)?.trunkline === TAG.trunkline;
}
