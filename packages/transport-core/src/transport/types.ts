/// <reference lib="esnext.disposable" preserve="true" />
// The public interface of every transport: shapes, units and errors. docs/ describes what each
// promise means. `ProtocolTransport` implements it, and the testkit tests it on each backend. A
// changed signature changes the reports in api/.

import type { Clock } from '../clock.ts';
import type { ErrorCode, TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import type { Observer, TransportCounter } from '../observer.ts';
import type { Protocol } from '../protocol/protocol.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import type {
  ItemOf,
  KindOf,
  MethodName,
  OneWayName,
  RequestInput,
  ResponseOf,
  Rpc,
  UploadInput,
} from '../rpc/types.ts';
import type { NameSnapshot } from '../stream/dial.ts';
import type { TextFields } from '../text.ts';

/**
 * The destination of a call. A string is `[nodeId@]address`; the transport dials it when needed. If
 * the peer proves a different node id, or none, the call fails with `unauthenticated`. With the
 * package `peers`, `node:<id>` is a target, too. A Remote is reached over its own connection only;
 * if that has ended, the call fails with `unavailable`.
 */
export type Target = string | Remote;

/** Options of one call. */
export interface CallOptions {
  /**
   * The timeout in milliseconds, above 0; `Infinity` means no timeout. Default: the method's
   * timeout, otherwise the transport's (10,000). The time runs from `send` to the end of the call
   * and includes dialing and queueing.
   *
   * On a streaming call, this option bounds the whole call, whereas the method's timeout bounds
   * each wait for progress. The transport's timeout bounds each wait for progress of an upload. It
   * bounds a download or duplex call only until the request has been sent, because a stream may be
   * quiet for a long time.
   */
  readonly timeout?: number | undefined;
  /**
   * Cancels the call when it aborts: the call rejects with `cancelled`, whose cause is the signal's
   * reason, and the callee's `rpc.signal` aborts.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sent along with the request, at most 8 KiB, and received as `rpc.metadata`: for example a trace
   * context, a tenant or a token. `Headers`, a Map or a list of pairs will do, too.
   */
  readonly metadata?: TextFields | undefined;
}

/**
 * Options of a call to method N. If the caller streams, `upload` is required. The transport pulls
 * items from `upload` with back-pressure. If the iterable throws, the call ends with `aborted`,
 * with the thrown value as its cause. If the callee answers early, the transport calls the
 * iterator's `return`.
 */
export type SendOptions<
  P extends Protocol = Protocol,
  N extends MethodName<P> = MethodName<P>,
> = CallOptions &
  (KindOf<P, N> extends 'upload' | 'duplex'
    ? { readonly upload: AsyncIterable<UploadInput<P, N>> }
    : { readonly upload?: undefined });

/** The options parameter of `send`; required if the method uploads, otherwise optional. */
export type SendArguments<P extends Protocol, N extends MethodName<P>> =
  KindOf<P, N> extends 'upload' | 'duplex'
    ? [options: SendOptions<P, N>]
    : [options?: SendOptions<P, N> | undefined];

/** The result of a call: the response; nothing for a one-way; an iterable if the callee streams. */
export type ResultOf<P extends Protocol, N extends MethodName<P>> = {
  unary: ResponseOf<P, N>;
  upload: ResponseOf<P, N>;
  oneway: void;
  download: AsyncIterable<ItemOf<P, N>>;
  duplex: AsyncIterable<ItemOf<P, N>>;
}[KindOf<P, N>];

/**
 * The part of a call's type that makes its promise iterable if the callee streams, so that
 * `for await (const item of client.count(range))` needs no `await`. If the call fails to start, the
 * loop throws its error. `unknown` for other calls.
 */
export type StreamOf<P extends Protocol, N extends MethodName<P>> =
  KindOf<P, N> extends 'download' | 'duplex' ? ResultOf<P, N> : unknown;

/**
 * A protocol's methods as functions, bound to one target: `client.requestVote(request, options)` is
 * `send(target, 'requestVote', request, options)`.
 */
export type Client<P extends Protocol> = {
  readonly [N in MethodName<P>]: (
    request: RequestInput<P, N>,
    ...options: SendArguments<P, N>
  ) => Promise<ResultOf<P, N>> & StreamOf<P, N>;
};

/** An event: a connection came up or went down, or a dial failed. */
export type ConnectionEvent =
  | { readonly type: 'up'; readonly remote: Remote }
  /**
   * `cause` says why the connection ended; its reasons `idle`, `disconnected`, `closed`,
   * `duplicate` and `draining` mean an orderly end.
   */
  | { readonly type: 'down'; readonly remote: Remote; readonly cause?: TransportError | undefined }
  /**
   * A dial failed, and no connection to `target` is up. `retryIn` is the time, in milliseconds,
   * until `hold` dials again, or undefined if the target is not held or this error has ended its
   * holds.
   */
  | {
      readonly type: 'failed';
      readonly target: string;
      readonly error: TransportError;
      readonly retryIn?: number | undefined;
    };

/** Options of `hold`. */
export interface HoldOptions {
  /**
   * The codes of errors that end the hold when a dial fails with them, because dialing again would
   * not help. They don't apply to a Remote, which is never dialed. Default:
   * ['unauthenticated', 'permission_denied'].
   */
  readonly stopOn?: readonly ErrorCode[] | undefined;
}

/** Options of `mount`. */
export interface MountOptions {
  /** Decides which calls of the protocol a peer may make. Default: all. */
  readonly allow?: AllowCall | undefined;
  /**
   * False if calls of the protocol go on while the node drains, because the node itself needs them,
   * as members of a Raft group do. Default true.
   */
  readonly drains?: boolean | undefined;
}

/**
 * Sends and receives the calls of one protocol, over one or more backends. Every error is a
 * TransportError, except that misuse causes a TypeError.
 */
export interface Transport<P extends Protocol = Protocol> extends AsyncDisposable {
  /**
   * Binds the address and accepts connections. A transport that only makes calls need not listen.
   * Rejects with `address_in_use`, `not_advertisable`, `invalid_argument` or another TransportError
   * of the backend if it can't listen, with `failed_precondition` if it listens already or has no
   * address to listen on, and with `shutdown` if it is closed.
   */
  listen(): Promise<void>;
  /**
   * Returns an iterator over incoming calls to these methods or, without arguments, of all methods
   * that no other reader takes. Each call goes to exactly one reader. The iterator ends when the
   * transport closes. If you leave the loop, calls that it has not received yet stay in the queue.
   * But if a rule, a codec or an observer calls `return` while it handles a call for this iterator,
   * that call is refused with `unimplemented`; a one-way is dropped and counted in `onewayDropped`.
   * Throws a TypeError for an unknown method, and for one that `serve` handles. A one-way holds its
   * sender's credit until the reader asks for another call or leaves.
   */
  consumer<N extends MethodName<P> = MethodName<P>>(
    ...methods: N[]
  ): AsyncIterableIterator<Rpc<P, N>>;
  /**
   * Returns the address that this transport listens on, with the real port instead of `:0`; the
   * first one if there are several. Throws `failed_precondition` before `listen` and after `close`;
   * with some backends also while all its listeners have failed and wait to listen again.
   */
  localAddr(): string;
  /**
   * Returns all addresses that this transport listens on; with some backends without those of
   * listeners that have failed and wait to listen again. Throws as `localAddr` does.
   */
  localAddrs(): string[];
  /**
   * Returns the address at which others reach this transport: the address given to `advertise` or
   * as an option, verbatim; otherwise an address that it listens on, usually `localAddr()`; then it
   * throws as `localAddr` does, and while the listener of that address is down.
   */
  advertiseAddr(): string;
  /**
   * Changes the address at which others reach this transport, while it runs: for example to one
   * that a router maps to it. Give several addresses as a list, or as one string with commas. Peers
   * on live connections are notified, and then see it as `remote.addr`. `undefined` returns to the
   * configured address. Throws a TypeError for an address that this transport could not dial, or
   * that other machines could not (0.0.0.0, ::, IPv6 link-local), and for more than 1,024 bytes of
   * addresses.
   */
  advertise(addresses: string | readonly string[] | undefined): void;
  /**
   * Calls a method. It never throws, even for misuse: the promise rejects instead.
   *
   * - unary, upload: resolves to the response.
   * - one-way: resolves when the message is queued on a connection whose receiver has room. A later
   *   loss is only counted (`onewayLost`), not reported.
   * - download, duplex: resolves to an iterable once the request has been sent. The promise can be
   *   iterated in the same way. Leaving the loop cancels the call.
   *
   * Every call settles exactly once. `error.sent` is true if a handler may have seen the call. The
   * codec `bytes` describes when the memory of a request may be changed again.
   */
  send<N extends MethodName<P>>(
    target: Target,
    method: N,
    request: RequestInput<P, N>,
    ...options: SendArguments<P, N>
  ): Promise<ResultOf<P, N>> & StreamOf<P, N>;
  /** Returns a client whose methods call `send` with this target. */
  to(target: Target): Client<P>;
  /**
   * Closes the transport: refuses new calls (`shutdown`), notifies the peers, lets calls in flight
   * finish for `grace` milliseconds (default 0; `Infinity` for no limit), flushes accepted messages
   * and fails all other calls. After a drain, with `grace` above 0, it first leaves its connections
   * as `closeStreams` does, and refuses new calls when none is left or `grace` is over. Resolves
   * when no socket, timer or listener is left. Idempotent. On a mount it closes only that protocol:
   * peers' calls that no handler or reader has received are refused with `unimplemented`, and
   * `grace` is for all other calls of the protocol.
   */
  close(options?: { readonly grace?: number | undefined }): Promise<void>;

  /**
   * Queues a one-way immediately on a live connection. Returns false if that is not possible right
   * now. Never waits or dials. Throws if the message can never be sent, and for an invalid target.
   */
  trySend<N extends OneWayName<P>>(target: Target, method: N, request: RequestInput<P, N>): boolean;
  /**
   * Calls `trySend` for many targets, encoding the message once. Returns one result for each
   * target, in order; false also for a target to which the message can never be sent. Throws for an
   * invalid target, before anything is sent.
   */
  trySendAll<N extends OneWayName<P>>(
    targets: readonly Target[],
    method: N,
    request: RequestInput<P, N>,
  ): boolean[];
  /**
   * Resolves when there is room for the message that `trySend` refused last, if that has more than
   * `limits.packet` bytes and no `writable` was called since; otherwise when there is room for one
   * of `limits.packet` bytes. Dials a string target if no connection is live. Rejects with the
   * error of the dial or of the connection, and with `resource_exhausted` if as many callers wait
   * already as `limits.outbound.messages` says.
   */
  writable(target: Target): Promise<void>;
  /**
   * Connects and completes the hello before any call is made, or returns the live connection if
   * there is one. Rejects with `failed_precondition` if the two ends share no protocol (reason
   * `no_shared_protocol`, `version_mismatch` or `channel_mismatch`). If `signal` aborts, it rejects
   * with `cancelled`, whose cause is the signal's reason, and the dial ends unless another caller
   * waits for it.
   */
  dial(target: Target, options?: { readonly signal?: AbortSignal | undefined }): Promise<Remote>;
  /** Returns a Remote for each connection that takes calls now; a peer may have several. */
  remotes(): Remote[];
  /**
   * Returns an iterator over connections coming up and going down, and over failed dials, starting
   * with the connections that are up now. It ends when the transport closes. A reader that lags by
   * 1,024 events misses connections that came and went, and failed dials.
   */
  connections(): AsyncIterableIterator<ConnectionEvent>;
  /**
   * Holds a connection until the returned function is called: it is not closed for idleness. A
   * string target is dialed now, and again whenever its connection is lost, even by `disconnect`:
   * immediately if the connection lasted longer than the back-off, otherwise after the back-off.
   * The back-off begins with about 100 ms, and doubles up to 30 s with each failed dial and each
   * connection that did not last. The hold also ends if a dial fails with a code of `stopOn`, and
   * when this transport closes; `connections()` reports failed dials while no connection is up. A
   * hold of a Remote ends with its connection. Throws a TypeError for a target that names only a
   * node id, because the `peers` package keeps such connections.
   */
  hold(target: Target, options?: HoldOptions): () => void;
  /**
   * Drains and closes the connections to a target, and fails the calls that wait for one. Resolves
   * when they are closed. A later `send` dials again.
   */
  disconnect(target: Target, reason?: string): Promise<void>;
  /**
   * Drains and closes every connection, but keeps listening. It does not wait for a connection that
   * is in its hello, which is drained and closed once it is up.
   */
  closeStreams(): Promise<void>;
  /**
   * Mounts another protocol on the same listener, pool and connections. Peers on live connections
   * are notified. Throws a TypeError if the name or the channel is taken, and a TransportError:
   * `invalid_argument` if peers would refuse the list of protocols (more than 64, or 16 KiB), and
   * `shutdown` after `close`.
   */
  mount<Q extends Protocol>(protocol: Q, options?: MountOptions): Transport<Q>;
  /**
   * Returns the state of the transport as plain data; `formatSnapshot` of @trunkline/telemetry
   * prints it.
   */
  snapshot(): TransportSnapshot;
  readonly protocol: P;
  /** The clock, which `serve`, `multicast`, peers and gossip also use. */
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A transport of any protocol, for libraries that accept any transport. To make calls through it,
 * mount a protocol.
 */
export type AnyTransport = Omit<
  Transport<any>,
  'send' | 'trySend' | 'trySendAll' | 'consumer' | 'to'
>;

// The interface of a part of a node, such as administration. `createNode` of the package trunkline
// takes parts as values, and starts and closes them.

/**
 * A part of a node: it adds protocols to the node's transport, or only observes it. All members
 * except `name` may be left out. `N` is the shape of the node that it needs.
 */
export interface NodePart<
  N extends { readonly transport: AnyTransport } = { readonly transport: AnyTransport },
> {
  /** The name of the part in errors: 'admin'. */
  readonly name: string;
  /** Observes the node's transport, beside the observers of the other parts. */
  readonly observer?: Observer | undefined;
  /**
   * Starts the part. It is called once, before the node listens, so the part can mount its
   * protocols. The node waits for a returned promise. If it throws or rejects, the node does not
   * start, and `close` is not called.
   */
  start?(node: N): unknown;
  /**
   * Releases everything that the part has opened, while the node's transport is still open. It is
   * called once if `start` has succeeded, and the node waits for a returned promise.
   */
  close?(): unknown;
}

// The state of a transport as plain data, for dashboards, operators and failing tests.

/**
 * The state of a transport at one moment. Times are in milliseconds, sizes in bytes. It can be
 * serialized as JSON.
 */
export interface TransportSnapshot {
  /** The time of the snapshot, on the transport's clock. */
  readonly at: number;
  /**
   * 'closing' from `close()` until the last connection has ended. After a drain, it stays 'open'
   * while `close` leaves the connections.
   */
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
  /** The addresses that it listens on; empty if it does not listen, or `localAddrs()` throws. */
  readonly localAddrs: readonly string[];
  /** The mounted protocols. */
  readonly protocols: readonly {
    readonly name: string;
    readonly version: number;
    readonly channel: number;
  }[];
  /** All connections, including those that are not up yet or have not closed yet. */
  readonly connections: readonly ConnectionSnapshot[];
  /** The targets that are being dialed. */
  readonly dialing: readonly string[];
  /** The names that a Resolver watches for this transport, with their addresses. */
  readonly names: readonly NameSnapshot[];
  /** Bytes of incomplete, waiting, running and unsent messages; bounded by `limits.memory`. */
  readonly memory: number;
  /**
   * The number of peers' calls that wait or are being handled, and the bytes of the short ones,
   * with a fixed cost for each call; bounded by `limits.total`.
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
  /**
   * The number of calls made (without messages of `trySend`) and received since the start,
   * including those of past connections.
   */
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
  /**
   * Maximum number of accepted connections whose handshake runs. Four times as many may wait, and
   * eight times as many may be answered and await the dialer's confirmation.
   */
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
   * The number of messages that were accepted here and have not been sent yet, and their bytes;
   * without calls that wait for room.
   */
  readonly outbound: { readonly messages: number; readonly bytes: number };
  /**
   * The fraction of each limit that is in use, from 0 to 1 (limit reached). If a limit applies to
   * each channel, this is the fraction of the fullest channel. The limits are those of this end,
   * except that the calls and streams opened here have the limits that both ends agreed on.
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
