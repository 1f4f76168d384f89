// The interfaces of interceptors, which see outgoing and incoming calls, and of the rule that
// decides which calls a peer may make. transport/protocol-transport.ts calls the client's
// interceptors, rpc/interceptors.ts the server's, and rpc/inbox.ts the rule. The interceptors of a
// transport do not see calls of Trunkline's own protocols, such as those of peers and gossip.
// interceptors.test.ts and access.test.ts of transport-inmem test this file.

import type { Remote } from './remote.ts';

/** The properties that a call has at both ends. */
interface InterceptedCall {
  /** The name of the protocol. */
  readonly protocol: string;
  readonly method: string;
  readonly kind: 'unary' | 'oneway' | 'upload' | 'download' | 'duplex';
  /** The request. An interceptor may replace it. */
  request: unknown;
  /** The metadata of the request. An interceptor may replace it, but must not change it. */
  metadata: Readonly<Record<string, string>>;
  /**
   * The items that the caller streams; undefined if it streams none. To see each item, replace it
   * with an iterable that passes the items on. Items are read ahead of the callee. If the iterator
   * of a client's call has a method `Symbol.for('trunkline.taken')`, it is called whenever the
   * callee has taken some.
   */
  upload: AsyncIterable<unknown> | undefined;
  /** The time on `transport.clock` at which the call expires; undefined if it has no deadline. */
  readonly deadline: number | undefined;
}

/** A call that is about to be made. */
export interface ClientCall extends InterceptedCall {
  /** The target. An interceptor may replace it, for example to call another node. */
  target: string | Remote;
  /** Cancels the call. An interceptor may replace it. */
  signal: AbortSignal | undefined;
}

/** A peer's call that is about to be handled. */
export interface ServerCall extends InterceptedCall {
  /** The caller's connection. */
  readonly from: Remote;
  /** The version of the protocol that both ends agreed on. */
  readonly version: number;
  /**
   * Aborts when nobody awaits the answer anymore: the caller cancels or is gone, the deadline
   * passes, the upload can't be received, its protocol is closed here, or the grace period of
   * `Server.stop` ends. The signal of a one-way aborts only in the last case.
   */
  readonly signal: AbortSignal;
}

/**
 * Makes a call. Resolves to the response, to the items of a download, or to nothing for a one-way.
 * It may be called several times, to retry the call.
 */
export type ClientNext = (call: ClientCall) => Promise<unknown>;

/**
 * Wraps the calls that a transport makes with `send`: `(next) => (call) => next(call)`. It does not
 * see messages of `trySend` and `trySendAll`. It is applied once for each protocol. It passes the
 * same call object on, and should return the promise of `next` instead of awaiting it, unless it
 * needs the result. If its promise rejects, the error reaches the caller unchanged; a
 * TransportError that it throws gets `sent: false` and the target of the call.
 */
export type ClientInterceptor = (next: ClientNext) => ClientNext;

/**
 * Passes a call on to its handler, once. Returns the handler's result, or a promise of it: the
 * response, the items of a download, or anything for a one-way. For a reader of `consumer()`, it
 * returns a promise of the reader's answer. It throws or rejects with the handler's error.
 */
export type ServerNext = (call: ServerCall) => unknown;

/**
 * Wraps the handling of calls: `(next) => (call) => next(call)`. It is applied once for each
 * handler and each `consumer()`. It passes the same call object on. An error that it throws is
 * answered as one of a handler is (`Rpc.fail`, `toError` of `serve`), with `sent: false` if it
 * throws before it calls `next`.
 */
export type ServerInterceptor = (next: ServerNext) => ServerNext;

/** Interceptors of a transport; the first one of a list is the outermost. */
export interface Interceptors {
  readonly client?: readonly ClientInterceptor[] | undefined;
  readonly server?: readonly ServerInterceptor[] | undefined;
}

/**
 * Decides whether a peer may make a call. It is called before the request is decoded. If it returns
 * false, the call fails with `permission_denied` (reason `denied`). If it throws:
 *
 * - a TransportError: the caller gets that error. The error of another call is reported as
 *   `callbackFailed`, and the caller gets a neutral one, as from `rpc.fail`.
 * - anything else: the error is reported as `callbackFailed`, and the call is denied.
 *
 * A one-way that is not allowed is dropped and counted in `onewayDropped`; no TransportError is
 * reported for it. While a promise is pending, the call counts as being handled, and later calls
 * may overtake it.
 */
export type AllowCall = (
  remote: Remote,
  method: string,
  metadata: Readonly<Record<string, string>>,
) => boolean | PromiseLike<boolean>;
