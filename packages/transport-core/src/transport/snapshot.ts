// The state of a transport as plain data: what a dashboard draws, an operator reads and a failing test prints.

import type { Code } from '../errors.ts';
import type { Counter } from '../observer.ts';

/** A transport at one moment. Times are milliseconds, sizes bytes; it can be sent as JSON. */
export interface Snapshot {
  /** When, on the transport's clock. */
  readonly at: number;
  readonly state: 'open' | 'closing' | 'closed';
  readonly network: string;
  /** Where it listens; empty where it does not. */
  readonly localAddrs: readonly string[];
  /** Every protocol mounted now. */
  readonly protocols: readonly { readonly name: string; readonly version: number; readonly channel: number }[];
  readonly connections: readonly ConnectionSnapshot[];
  /** Targets that are being dialled. */
  readonly dialing: readonly string[];
  /** Bytes of incomplete, waiting, running and unsent messages; bounded by `limits.memory`. */
  readonly memory: number;
  /** Calls that wait in the inbound queue for a reader. */
  readonly waiting: number;
  /** Since the start: calls made and answered here, connections gone by included. */
  readonly calls: { readonly made: number; readonly served: number };
  /** Since the start: calls made here that failed, by code. */
  readonly errors: Readonly<Partial<Record<Code, number>>>;
  /** Since the start: what nobody else would be told. */
  readonly counters: Readonly<Partial<Record<Counter, number>>>;
}

/** One connection at one moment. */
export interface ConnectionSnapshot {
  readonly id: string;
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  readonly state: 'opening' | 'up' | 'closing';
  readonly addr?: string | undefined;
  readonly nodeId?: string | undefined;
  /** Empty before the peer's hello. */
  readonly instance: string;
  readonly rtt?: number | undefined;
  /** Milliseconds since it came. */
  readonly age: number;
  readonly bytes: { readonly in: number; readonly out: number };
  /** Open now: those made here and those of the peer. */
  readonly calls: { readonly out: number; readonly in: number };
  /** Open calls that stream, either way. */
  readonly streams: number;
  /** Calls of this connection that no reader has taken yet. */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /** Messages accepted here that have not left yet. */
  readonly outbound: { readonly messages: number; readonly bytes: number };
}
