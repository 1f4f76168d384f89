// The state of a transport as plain data, for dashboards, operators and failing tests.

import type { ErrorCode } from '../errors.ts';
import type { TransportCounter } from '../observer.ts';
import type { NameSnapshot } from '../stream/names.ts';

/**
 * The state of a transport at one moment. Times are in milliseconds, sizes in bytes. It can be
 * serialized as JSON.
 */
export interface TransportSnapshot {
  /** The time of the snapshot, on the transport's clock. */
  readonly at: number;
  /** 'closing' from `close()` until the last connection has ended. */
  readonly state: 'open' | 'closing' | 'closed';
  /** True once the transport was taken out of service with `drain`. */
  readonly draining: boolean;
  /** The version of `@trunkline/transport-core`. */
  readonly version: string;
  /** The option `name`, otherwise the common name of the certificate that a backend presents. */
  readonly name?: string | undefined;
  /**
   * The time at which the certificate that a backend presents expires, or an earlier one of its
   * chain: milliseconds since 1970. Undefined without TLS.
   */
  readonly certificateEnd?: number | undefined;
  /** The name of the network, from the options. */
  readonly network: string;
  /** The addresses that it listens on; empty if it does not listen. */
  readonly localAddrs: readonly string[];
  /** The mounted protocols. */
  readonly protocols: readonly {
    readonly name: string;
    readonly version: number;
    readonly channel: number;
  }[];
  /** All connections, including those that are not up yet. */
  readonly connections: readonly ConnectionSnapshot[];
  /** The targets that are being dialed. */
  readonly dialing: readonly string[];
  /** The names that a Resolver watches for this transport, with their addresses. */
  readonly names: readonly NameSnapshot[];
  /** Bytes of incomplete, waiting, running and unsent messages; bounded by `limits.memory`. */
  readonly memory: number;
  /**
   * The number of peers' calls that wait or are being handled, and their bytes; bounded by
   * `limits.total`.
   */
  readonly incoming: { readonly calls: number; readonly bytes: number };
  /**
   * The number of accepted connections that are in a handshake or waiting for one; bounded by
   * `limits.handshakes`.
   */
  readonly handshakes: number;
  /**
   * The limits for the values above and for those of each connection, with the same names as in the
   * options.
   */
  readonly limits: LimitsSnapshot;
  /**
   * Bytes received (`in`) and sent (`out`) since the start, including those of past connections.
   */
  readonly bytes: { readonly in: number; readonly out: number };
  /** The number of calls that wait in the inbound queue for a reader. */
  readonly waiting: number;
  /** The number of calls made and received since the start, including those of past connections. */
  readonly calls: { readonly made: number; readonly served: number };
  /** The number of failed calls made here since the start, by code. */
  readonly errors: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Counters since the start; see {@link TransportCounter}. */
  readonly counters: Readonly<Partial<Record<TransportCounter, number>>>;
}

/** Limits from the options of a transport; see `LimitOptions`. */
export interface LimitsSnapshot {
  /** Maximum number of bytes in all messages that the transport holds. */
  readonly memory: number;
  /** Maximum number of connections in total. */
  readonly connections: number;
  /** Maximum number of accepted connections in a handshake; up to four times as many wait. */
  readonly handshakes: number;
  /** Maximum number and total bytes of the incoming calls of all connections together. */
  readonly total: { readonly calls: number; readonly bytes: number };
  /** Maximum number of calls in flight, for each connection and channel. */
  readonly calls: number;
  /** Maximum number of streaming calls in flight, for each connection. */
  readonly streams: number;
  /**
   * Maximum number and total bytes of short requests that wait for a reader, for each connection
   * and channel.
   */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /**
   * Maximum number and total bytes of messages that wait to be sent, for each connection and
   * channel.
   */
  readonly outbound: { readonly messages: number; readonly bytes: number };
}

/** The state of one connection at one moment. */
export interface ConnectionSnapshot {
  /** The connection's id, unique in its transport: 'in-3', 'out-12'. */
  readonly id: string;
  /** The peer's address as the stream layer names it. */
  readonly endpoint: string;
  /** The end that dialed: 'out' means this end, 'in' the peer. */
  readonly direction: 'in' | 'out';
  /** 'opening' until the hello is complete, 'closing' once its end has begun. */
  readonly state: 'opening' | 'up' | 'closing';
  /** The address at which the peer says it can be dialed. */
  readonly addr?: string | undefined;
  /** The peer's node id; set only if the peer proved it (TLS, noise). */
  readonly nodeId?: string | undefined;
  /** The name that the peer says it has, `remote.hello.name`. Nothing proves it. */
  readonly name?: string | undefined;
  /** The peer's instance id; empty before its hello. */
  readonly instance: string;
  /** The last measured round trip in milliseconds; undefined before the first measurement. */
  readonly rtt?: number | undefined;
  /** The age of the connection in milliseconds. */
  readonly age: number;
  /** Bytes received (`in`) and sent (`out`) over the connection. */
  readonly bytes: { readonly in: number; readonly out: number };
  /** The number of open calls: those made here (`out`) and those of the peer (`in`). */
  readonly calls: { readonly out: number; readonly in: number };
  /** The number of open calls that stream in either direction. */
  readonly streams: number;
  /**
   * The number of streams whose next item waits because the peer's reader has given no credit for
   * it.
   */
  readonly blocked: number;
  /** The number of the peer's calls that no reader has taken yet, and their bytes. */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /**
   * The number of messages that wait to be sent, and their bytes. Of the messages of one channel,
   * at most `limits.outbound` are counted.
   */
  readonly outbound: { readonly messages: number; readonly bytes: number };
  /**
   * The fraction of each limit that is in use, from 0 to 1 (limit reached). If a limit applies to
   * each channel, this is the fraction of the fullest channel. The limits are those that both ends
   * agreed on.
   */
  readonly fill: {
    /** Calls in flight and running handlers, as a fraction of `limits.calls`. */
    readonly calls: number;
    /** Streaming calls, as a fraction of `limits.streams`. */
    readonly streams: number;
    /** Short requests that wait for a reader, as a fraction of `limits.inbound`. */
    readonly inbound: number;
    /** Messages that wait to be sent, as a fraction of `limits.outbound`. */
    readonly outbound: number;
  };
}
