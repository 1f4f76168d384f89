// The state of a node as tools see it. Collections are objects with a key for each member, so that
// a change of one member is small. Times are milliseconds on the node's clock, sizes bytes.

import type { ErrorCode, ErrorReason } from '@trunkline/transport-core';
import type {
  ConnectionSnapshot,
  LimitsSnapshot,
  TransportCounter,
} from '@trunkline/transport-core/backend';

/** The state of a node at one moment, as plain JSON. */
export interface NodeState {
  readonly at: number;
  /** The properties of the node that seldom change. */
  readonly node: {
    readonly state: 'open' | 'closing' | 'closed';
    readonly draining: boolean;
    /** Whether the node refuses all changes by tools. */
    readonly readonly: boolean;
    readonly network: string;
    /** The version of `@trunkline/transport-core`. */
    readonly version: string;
    /** The name of the node for people; absent if it has none. */
    readonly name?: string | undefined;
    /** The time at which its certificate expires, in milliseconds since 1970; absent without TLS. */
    readonly certificateEnd?: number | undefined;
    readonly addresses: readonly string[];
    /** The protocols by name. */
    readonly protocols: Readonly<
      Record<string, { readonly version: number; readonly channel: number }>
    >;
    /** Absent without peers. */
    readonly nodeId?: string | undefined;
    /** The level of the node's log; absent if `admin.serve` got no `log`. */
    readonly logLevel?: string | undefined;
  };
  /** The totals of the node. */
  readonly totals: {
    /** Bytes received and sent since the start. */
    readonly received: number;
    readonly sent: number;
    /** Bytes of messages that are held. */
    readonly memory: number;
    /** Calls of peers that wait or are being handled, and their bytes. */
    readonly incoming: { readonly calls: number; readonly bytes: number };
    /** Accepted connections that are in their handshake, or wait for it. */
    readonly handshakes: number;
    /** Calls that wait for a reader. */
    readonly waiting: number;
    /** Calls made and served since the start. */
    readonly made: number;
    readonly served: number;
    /** Failed calls made by the node, by code. */
    readonly failed: Readonly<Partial<Record<ErrorCode, number>>>;
    readonly counters: Readonly<Partial<Record<TransportCounter, number>>>;
    /** The targets that are being dialed, at most 100. */
    readonly dialing: readonly string[];
  };
  /** The limits that bound the totals and the connections. */
  readonly limits: LimitsSnapshot;
  /** The connections by id. */
  readonly connections: Readonly<Record<string, NodeConnectionState>>;
  /** Calls since the start, by side and method: 'server greeter/greet'. */
  readonly calls: Readonly<Record<string, NodeCallStatistics>>;
  /** The last errors by number: at most 100, equal ones counted together. */
  readonly errors: Readonly<Record<string, NodeErrorRecord>>;
  /** The connected peers by node id; absent if the node has no peers. */
  readonly peers?: Readonly<Record<string, NodePeerState>> | undefined;
  /** The topics of gossip by key; absent if the node has no gossip. */
  readonly topics?: Readonly<Record<string, NodeTopicState>> | undefined;
  /**
   * The number of members that were left out of `connections`, `peers` and `topics`, which have at
   * most 2,000 each. Absent if no member was left out.
   */
  readonly omitted?: Readonly<Record<string, number>> | undefined;
}

/** A connection. `since` is the time at which the connection was made. */
export type NodeConnectionState = Omit<ConnectionSnapshot, 'id' | 'age'> & {
  readonly since: number;
};

/** The calls of one method. */
export interface NodeCallStatistics {
  readonly side: 'client' | 'server';
  /**
   * The method with its protocol: 'greeter/greet'; '_OTHER' for those beyond the limit of the
   * metrics, by default 1,000.
   */
  readonly method: string;
  /** Calls that have not ended. */
  readonly active: number;
  /**
   * Ended calls, by code; 'ok' for those that succeeded, and 'cancelled' for those that their
   * caller canceled.
   */
  readonly codes: Readonly<Partial<Record<ErrorCode | 'ok', number>>>;
  /** The sum of all durations in seconds. */
  readonly seconds: number;
  /**
   * Ended calls by duration: one count for each of `bounds`, and one for longer calls. `bounds` are
   * the upper bounds in seconds.
   */
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
}

/** An error, and how often it occurred. */
export interface NodeErrorRecord {
  /** The time of the last occurrence. */
  readonly at: number;
  readonly count: number;
  /**
   * The event or operation that failed: 'call', 'handler', 'dial', 'handshake', 'connection' …
   */
  readonly what: string;
  /** The method, address or endpoint; for accepted connections, the source without its port. */
  readonly where: string;
  readonly code: ErrorCode | 'unknown';
  readonly reason?: ErrorReason | undefined;
  readonly text: string;
}

/** A connected peer. */
export interface NodePeerState {
  readonly proven: boolean;
  readonly persistent: boolean;
  readonly direction: 'in' | 'out';
  readonly score: number;
  readonly instance: string;
  /** The id of the connection in use. */
  readonly connection: string;
  readonly addr?: string | undefined;
  readonly rtt?: number | undefined;
  /** The status that the peer has published, if it is JSON. */
  readonly status?: unknown;
}

/** A topic of gossip. */
export interface NodeTopicState {
  readonly topic: string;
  readonly overlay: string;
  readonly life: number;
  readonly neighbors: readonly string[];
  readonly interested: number;
  readonly published: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly dropped: Readonly<Partial<Record<string, number>>>;
  /** Messages and bytes in the queues of all readers, and messages that readers have missed. */
  readonly waiting: number;
  readonly bytes: number;
  readonly missed: number;
  /** Details that the overlay reports about itself, if they are JSON. */
  readonly details?: unknown;
}
