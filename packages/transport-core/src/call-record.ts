// The records that an observer receives about calls, dials, handshakes and gossip messages.

import type { ErrorCode, ErrorReason, TransportError } from './errors.ts';
import type { Remote } from './remote.ts';

/**
 * One call, as the end that made it (`client`) or the end that handles it (`server`) sees it. An
 * observer receives the same object at the start and at the end of the call, so it can keep state
 * for the call in a Map or a WeakMap. Times are in milliseconds, on the transport's clock.
 */
export interface CallRecord {
  readonly side: 'client' | 'server';
  /** The name of the protocol. */
  readonly protocol: string;
  readonly method: string;
  readonly kind: 'unary' | 'oneway' | 'upload' | 'download' | 'duplex';
  /** The target as the caller gave it, or the endpoint of a Remote; undefined at the server. */
  readonly target: string | undefined;
  /**
   * The peer. At the server it is set from the start; at the client only after the end, and only if
   * a connection carried the call.
   */
  readonly remote: Remote | undefined;
  /** The metadata of the request. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** The time at which the call was made, or was handed to its handler. */
  readonly startedAt: number;
  /** The time at which the call expires; undefined if it has no deadline. */
  readonly deadline: number | undefined;
  /**
   * The time for which the request waited: at the client until it was written to a connection, at
   * the server until a handler took it (0 if the handler was free).
   */
  readonly queued: number;
  /**
   * The number of times the request was written to a connection: more than 1 if a connection broke
   * and the call was sent again, 0 if the request was never written. At the server, 1.
   */
  readonly attempts: number;
  /** The time from the start to the end; 0 before the end. */
  readonly duration: number;
  /** The error with which the call failed; undefined before the end, and if it succeeded. */
  readonly error: TransportError | undefined;
  /** The code and the reason of `error`. */
  readonly code: ErrorCode | undefined;
  readonly reason: ErrorReason | undefined;
  /** Whether a handler may have seen the call; true at the server. */
  readonly sent: boolean;
  /** The number of bytes in messages and items, as encoded by their codecs. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** The number of items of streams. */
  readonly itemsSent: number;
  readonly itemsReceived: number;
}

/** An attempt to dial a target, including the handshake. */
export interface DialRecord {
  readonly target: string;
  readonly startedAt: number;
  /** The duration in milliseconds; 0 before the end. */
  readonly duration: number;
  /** The connected peer; undefined before the end, and if the dial failed. */
  readonly remote: Remote | undefined;
  readonly error: TransportError | undefined;
}

/**
 * The handshake of a connection, from the opening of the stream until the connection is up or has
 * failed.
 */
export interface HandshakeRecord {
  readonly endpoint: string;
  readonly direction: 'in' | 'out';
  /** Milliseconds. */
  readonly duration: number;
  /** The peer; undefined if the connection failed before its hello. */
  readonly remote: Remote | undefined;
  readonly error: TransportError | undefined;
}

/** A message that this node publishes on a gossip topic. */
export interface PublishRecord {
  readonly topic: string;
  readonly bytes: number;
  readonly startedAt: number;
  /** The time until `publish` resolved or rejected, in milliseconds; 0 before the end. */
  readonly duration: number;
  readonly error: unknown;
}

/** A message from another node that was delivered to this node's readers of the topic. */
export interface DeliveryRecord {
  readonly topic: string;
  /** The id of the message, as in its MessageMeta. */
  readonly id: string;
  readonly bytes: number;
  /** The node id of the peer that delivered the message. */
  readonly from: string;
  /** The number of connections that the message has crossed. */
  readonly hops: number;
}
