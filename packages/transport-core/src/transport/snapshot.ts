// The state of a transport as plain data, for dashboards, operators and failing tests.

import type { Code } from '../errors.ts';
import type { Counter } from '../observer.ts';

/**
 * The state of a transport at one moment. Times are milliseconds, sizes bytes. It can be serialized
 * as JSON.
 */
export interface Snapshot {
  /** The time of the snapshot, on the transport's clock. */
  readonly at: number;
  readonly state: 'open' | 'closing' | 'closed';
  readonly network: string;
  /** The addresses that it listens on; empty if it does not listen. */
  readonly localAddrs: readonly string[];
  /** The mounted protocols. */
  readonly protocols: readonly {
    readonly name: string;
    readonly version: number;
    readonly channel: number;
  }[];
  readonly connections: readonly ConnectionSnapshot[];
  /** The targets that are being dialed. */
  readonly dialing: readonly string[];
  /** Bytes of incomplete, waiting, running and unsent messages; bounded by `limits.memory`. */
  readonly memory: number;
  /** Calls that wait in the inbound queue for a reader. */
  readonly waiting: number;
  /** Calls made and received since the start, including those of past connections. */
  readonly calls: { readonly made: number; readonly served: number };
  /** Failed calls made here since the start, by code. */
  readonly errors: Readonly<Partial<Record<Code, number>>>;
  /** Counters since the start; see {@link Counter}. */
  readonly counters: Readonly<Partial<Record<Counter, number>>>;
}

/** The state of one connection at one moment. */
export interface ConnectionSnapshot {
  readonly id: string;
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  readonly state: 'opening' | 'up' | 'closing';
  readonly addr?: string | undefined;
  readonly nodeId?: string | undefined;
  /** The peer's instance id; empty before its hello. */
  readonly instance: string;
  readonly rtt?: number | undefined;
  /** Milliseconds since the connection was made. */
  readonly age: number;
  readonly bytes: { readonly in: number; readonly out: number };
  /** Open calls: those made here (`out`) and those of the peer (`in`). */
  readonly calls: { readonly out: number; readonly in: number };
  /** Open calls that stream in either direction. */
  readonly streams: number;
  /** Calls of the peer that no reader has taken yet. */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /** Messages accepted here that have not been sent yet. */
  readonly outbound: { readonly messages: number; readonly bytes: number };
}
