// Events and counters of a transport, for metrics, tracing, logs and dashboards. A transport never
// waits for its observer. Reporter (rpc/records.ts) calls the hooks of a transport; layers report
// the events that only they see. transport-inmem/src/observing.test.ts tests what is reported when,
// and transport-tcp/src/tracing.test.ts the tracing channels.

import type { ErrorCode, ErrorReason, TransportError } from './errors.ts';
import type { Remote } from './remote.ts';

/** An event of a connection or a listener. */
export type ObserverEvent =
  | { type: 'up'; remote: Remote }
  | { type: 'down'; remote: Remote; cause?: TransportError | undefined }
  /**
   * The ends cannot speak this protocol, because they share no version of it (`version_mismatch`)
   * or disagree on its channel (`channel_mismatch`). Reported once for each connection and name of
   * a protocol.
   */
  | { type: 'mismatch'; remote: Remote; protocol: string; error: TransportError }
  /** A connection ended before it was up: for example, it was refused or its peer left. */
  | { type: 'rejected'; endpoint: string; direction: 'in' | 'out'; error: TransportError }
  | { type: 'dialFailed'; target: string; error: TransportError }
  /** The listener failed; the transport listens again in `retryIn` milliseconds. */
  | { type: 'listenFailed'; error: TransportError; retryIn: number }
  /**
   * The system could not accept a connection (too many open files, for example); the listener
   * continues.
   */
  | { type: 'acceptFailed'; error: TransportError }
  /**
   * The connection to a server of a broker, such as NATS, was made or lost, or the server announces
   * a problem, as NATS does in lame duck mode; `error` then says what happens next.
   */
  | {
      type: 'broker';
      state: 'connected' | 'lost' | 'warning';
      server: string;
      error?: TransportError | undefined;
    }
  /**
   * A callback of the user threw (`hello`, `allow` or `upgrade`), or a handler did in its clean-up
   * or after its answer. For `handler` and `allow`, `error` may also be that of another call, which
   * is withheld from the caller.
   */
  | { type: 'callbackFailed'; callback: string; error: unknown };

/**
 * Counted events, most of which are reported nowhere else:
 *
 * - onewayLost: the `send` of a one-way had resolved, but its connection broke before the credit
 *   was returned. Credit is returned up to 100 ms after the handler has ended, so one-ways whose
 *   handler was still running, or had just ended, are counted, too.
 * - onewayDropped: a one-way was dropped because no reader takes it, because no such one-way method
 *   is mounted, because the ends disagree on its protocol, because its codec refused the request,
 *   because its sender is not allowed to send it (`allow`), because `limits.total.bytes` or
 *   `limits.memory` left no room for it, because it was long and stopped arriving or was canceled,
 *   or because the transport or its protocol is closing.
 * - lateReply: an answer arrived for a call that had settled (its deadline passed, or it was
 *   canceled).
 * - lateAnswer: a handler answered after its caller had gone, or the handler of a one-way failed.
 * - unknownFrame: a frame of a kind (32 and above) that this version does not know.
 * - unknownAnswer: an answer to a call that was never made, or whose last answer had arrived.
 * - duplicateRequest: a request with an id that was already in use.
 * - refusedCall: a call was refused because a limit was reached (queue, `calls`, `total`,
 *   `streams`, memory, or the size that its codec accepts), because it has no reader or no such
 *   method, because the ends disagree on its protocol, or because the transport is closing. No
 *   handler has seen it, unless memory had no room for an item of its upload.
 * - slowed: reading from a connection was paused until others had been served, because its peer had
 *   used more work units than one turn allows.
 */
export type TransportCounter =
  | 'onewayLost'
  | 'onewayDropped'
  | 'lateReply'
  | 'lateAnswer'
  | 'unknownFrame'
  | 'unknownAnswer'
  | 'duplicateRequest'
  | 'refusedCall'
  | 'slowed';

/**
 * Optional hooks. They are called synchronously and must not throw; anything that they throw is
 * ignored. A missing hook costs nothing.
 */
export interface Observer {
  /** Receives each event when it happens. */
  event?(event: ObserverEvent): void;
  /**
   * Adds `amount` to a counter. `remote` is the peer that it concerns, or undefined before the
   * peer's hello has arrived. `isClosing` is true while the transport closes, when it is normal
   * that messages are dropped.
   */
  count?(
    counter: TransportCounter,
    amount: number,
    remote: Remote | undefined,
    isClosing: boolean,
  ): void;
  /**
   * A call made here starts. Calls that fail before they are sent (an invalid request, a closed
   * transport) are reported, too. Messages of `trySend` and calls that an interceptor refuses are
   * not.
   */
  callStarted?(call: CallRecord): void;
  /** A call made here has settled. */
  callEnded?(call: CallRecord): void;
  /**
   * A peer's call is handed to its handler or reader, or its turn has come and it is refused: by a
   * rule, by the codec of its request, because the node drains, or because its server or reader
   * has just stopped.
   */
  handlerStarted?(call: CallRecord): void;
  /**
   * A peer's call was answered, or its caller is gone; for a one-way, its handler has ended.
   */
  handlerEnded?(call: CallRecord): void;
  /** A dial has succeeded or failed. */
  dialEnded?(dial: DialRecord): void;
  /** A handshake has succeeded or failed. */
  handshakeEnded?(handshake: HandshakeRecord): void;
  /** A message was published on a gossip topic, or its publication failed. */
  publishEnded?(message: PublishRecord): void;
  /** A message from another node was delivered on a gossip topic. */
  delivered?(message: DeliveryRecord): void;
}

/**
 * Returns an observer that passes everything on to several observers, for example to one for
 * metrics and one for traces. It has only the hooks that at least one of them has. An observer that
 * throws does not keep the others from being called.
 */
export function combineObservers(...observers: readonly Observer[]): Observer {
  const combined: Partial<Record<keyof Observer, (...args: unknown[]) => void>> = {};
  for (const name of HOOKS) {
    const hearing = observers.filter((observer) => observer[name] !== undefined);
    if (hearing.length === 0) continue;
    combined[name] = (...args) => {
      for (const observer of hearing) notify(observer, name, ...(args as never));
    };
  }
  return combined as Observer;
}

/** Calls a hook of an observer if the observer has it. Errors of the hook are ignored. */
export function notify<H extends keyof Observer>(
  observer: Observer | undefined,
  hook: H,
  ...args: Parameters<NonNullable<Observer[H]>>
): void {
  try {
    (observer?.[hook as keyof Observer] as ((...args: unknown[]) => void) | undefined)?.(...args);
  } catch {
    // An observer must not throw; its errors are ignored.
  }
}

/**
 * The names of all hooks. Options are checked against this list, and `combineObservers` calls only
 * the hooks in it. Therefore the compiler requires each hook here.
 */
export const HOOKS = Object.keys({
  event: true,
  count: true,
  callStarted: true,
  callEnded: true,
  handlerStarted: true,
  handlerEnded: true,
  dialEnded: true,
  handshakeEnded: true,
  publishEnded: true,
  delivered: true,
} satisfies Record<keyof Observer, true>) as readonly (keyof Observer)[];

// The records that an observer receives about calls, dials, handshakes and gossip messages.

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
   * a connection carried the call or the target is a Remote.
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
  /** Whether a handler may have seen the call; false before its end. At the server, true. */
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

// The port through which tools that trace a process follow calls, dials and published messages. The
// backends for Node fill it with the tracing channels of node:diagnostics_channel.

/** One tracing channel. */
export interface TraceChannel {
  readonly hasSubscribers: boolean;
  /**
   * Publishes the start of an operation, runs its synchronous part in the context that subscribers
   * have bound to the start, and publishes the end of that part.
   */
  run<T>(operation: object, work: () => T): T;
  /** Publishes that the operation has ended. It has failed if its `error` is set. */
  settled(operation: { readonly error: unknown }): void;
}

/**
 * The tracing channels of a process. The operations are the records that an Observer receives:
 * `call` and `handle` publish a CallRecord, `dial` a DialRecord, `publish` a PublishRecord.
 */
export interface TraceChannels {
  readonly call: TraceChannel;
  readonly handle: TraceChannel;
  readonly dial: TraceChannel;
  readonly publish: TraceChannel;
}
