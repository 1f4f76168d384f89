/// <reference lib="esnext.disposable" preserve="true" />
// The public face of every transport. What each promise means stands in docs/; here are its shapes, units and errors.

import type { Clock } from '../clock.ts';
import type { TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import type { ItemOf, KindOf, MethodName, OneWayName, RequestInput, ResponseOf, Rpc, UploadInput } from '../rpc/types.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Whom a call is for. A string is `[nodeId@]address` and is dialled when needed; an end that proves another id, or none, is
 * `unauthenticated`. A Remote is reached over its own connection, or not at all (`unavailable`).
 */
export type Target = string | Remote;

/** Options of one call. */
export interface CallOptions {
  /**
   * Milliseconds, above 0; `Infinity` is none. Default: the method's, else the transport's (10,000). It runs from `send` to the
   * end of the call, dialling and queueing included. On a streaming call this option bounds the whole call, and the method's timeout
   * each wait for progress. The transport's timeout bounds each wait for progress of an upload; a download or duplex call it bounds
   * only until its request has left, because a stream may be quiet for long.
   */
  readonly timeout?: number | undefined;
  /** Ends the call: it rejects with `cancelled`, whose cause is the signal's reason, and the callee's `rpc.signal` aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Travels beside the request, at most 8 KiB, as `rpc.metadata`: trace context, tenant, token. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Options of a call of method N: where the caller streams, `upload` is required. It is pulled with back-pressure; one that throws
 * ends the call with `aborted` and its cause; when the callee answers early, its iterator is returned.
 */
export type SendOptions<P extends Protocol = Protocol, N extends MethodName<P> = MethodName<P>> = CallOptions &
  (KindOf<P, N> extends 'upload' | 'duplex' ? { readonly upload: AsyncIterable<UploadInput<P, N>> } : { readonly upload?: undefined });

/** The options parameter of `send`: there must be one exactly where the method uploads. */
export type SendArguments<P extends Protocol, N extends MethodName<P>> =
  KindOf<P, N> extends 'upload' | 'duplex' ? [options: SendOptions<P, N>] : [options?: SendOptions<P, N> | undefined];

/** What a call resolves to: the response; nothing for a one-way; an iterable where the callee streams. */
export type ResultOf<P extends Protocol, N extends MethodName<P>> = {
  unary: ResponseOf<P, N>;
  upload: ResponseOf<P, N>;
  oneway: void;
  download: AsyncIterable<ItemOf<P, N>>;
  duplex: AsyncIterable<ItemOf<P, N>>;
}[KindOf<P, N>];

/** A protocol's methods as functions, for one target: `client.requestVote(request, options)` is `send(target, 'requestVote', request, options)`. */
export type Client<P extends Protocol> = {
  readonly [N in MethodName<P>]: (request: RequestInput<P, N>, ...options: SendArguments<P, N>) => Promise<ResultOf<P, N>>;
};

/** A connection came up, or went down and why: `idle`, `disconnected` and `closed` are the orderly reasons. */
export interface ConnectionEvent {
  readonly type: 'up' | 'down';
  readonly remote: Remote;
  readonly cause?: TransportError | undefined;
}

/** One protocol's calls over one or more ways to carry them. Every error is a TransportError; misuse is a TypeError. */
export interface Transport<P extends Protocol = Protocol> extends AsyncDisposable {
  /** Binds and serves; one that only calls need not listen. Rejects where it can't: `address_in_use`, `not_advertisable`, `invalid_argument`. */
  listen(): Promise<void>;
  /**
   * Incoming calls, of these methods or of all that no other reader takes. Each goes to exactly one reader. It ends when the
   * transport closes; leaving the loop gives back what it was not handed yet. A method that `serve` has is a TypeError. A one-way costs its
   * sender credit until the reader asks for another call, or leaves.
   */
  consumer<N extends MethodName<P> = MethodName<P>>(...methods: N[]): AsyncIterableIterator<Rpc<P, N>>;
  /** Where it listens, with the real port after `:0`; the first where there are several. Before `listen` it throws `failed_precondition`. */
  localAddr(): string;
  /** Where it listens, all of it. Before `listen` it throws `failed_precondition`. */
  localAddrs(): string[];
  /** Where others reach it: what was given, verbatim, else `localAddr()`. */
  advertiseAddr(): string;
  /**
   * Calls a method. It never throws: it rejects, misuse too. Unary and upload resolve to the response; one-way resolves when queued
   * on a connection whose receiver has room (a later loss is counted, not told); download and duplex resolve to an iterable once the
   * request has left, and leaving its loop cancels the call. Every call settles exactly once. `error.sent` tells whether a handler
   * may have seen it.
   */
  send<N extends MethodName<P>>(target: Target, method: N, request: RequestInput<P, N>, ...options: SendArguments<P, N>): Promise<ResultOf<P, N>>;
  /** The same, as methods. */
  to(target: Target): Client<P>;
  /**
   * Refuses new calls (`shutdown`), tells the peers, lets calls in flight finish for `grace` milliseconds (default 0), flushes what
   * was accepted, fails the rest. Resolves when no socket, timer or listener is left. Idempotent. A mount's ends that protocol alone.
   */
  close(options?: { readonly grace?: number | undefined }): Promise<void>;

  /** Queues a one-way now, on a live connection: false where that can't be at once. Never waits, never dials; throws for what can never go. */
  trySend<N extends OneWayName<P>>(target: Target, method: N, request: RequestInput<P, N>): boolean;
  /** The same to many, encoded once; an answer for each target, in order. */
  trySendAll<N extends OneWayName<P>>(targets: readonly Target[], method: N, request: RequestInput<P, N>): boolean[];
  /** Resolves when `trySend` would be true; dials a string target if nothing is live; rejects with the dial's or the connection's error. */
  writable(target: Target): Promise<void>;
  /**
   * Connects and completes the hello ahead of any call; a live connection is taken as it is. With a signal that aborts it rejects with
   * `cancelled`, whose cause is the signal's reason, and a dial that nobody else waits for ends.
   */
  dial(target: Target, options?: { readonly signal?: AbortSignal | undefined }): Promise<Remote>;
  /** Who is connected now. */
  remotes(): Remote[];
  /** Who comes and goes; those that live come first. It ends when the transport closes. */
  connections(): AsyncIterableIterator<ConnectionEvent>;
  /** Keeps a connection from being closed for idleness until the returned function is called. */
  hold(remote: Remote): () => void;
  /** Drains and closes what is open to a target; a later `send` dials again. */
  disconnect(target: Target, reason?: string): Promise<void>;
  /** `disconnect` for every connection, while listening goes on. */
  closeStreams(): Promise<void>;
  /**
   * Another protocol over the same listener, pool and connections; live ones learn it. A name or a channel that is taken is a TypeError.
   */
  mount<Q extends Protocol>(protocol: Q): Transport<Q>;
  /** The state of everything, as plain data; `formatSnapshot` prints it. */
  snapshot(): Snapshot;
  readonly protocol: P;
  /** What `serve`, `multicast`, peers and gossip run on. */
  readonly clock: Clock;
  readonly random: Random;
}

/** Any transport, whatever its protocol: what libraries take. To call through it, mount a protocol. */
export type AnyTransport = Omit<Transport<any>, 'send' | 'trySend' | 'trySendAll' | 'consumer' | 'to'>;
