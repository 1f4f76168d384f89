// What a protocol's literal says about its calls: the types of requests, answers, streams, the Rpc of a reader and a server's handlers.

import type { Codec } from '../protocol/codec.ts';
import type { MethodKind, Protocol } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';

/** The names of a protocol's methods. */
export type MethodName<P extends Protocol> = keyof P['methods'] & string;

/** The names of its one-way methods. */
export type OneWayName<P extends Protocol> = { [N in MethodName<P>]: KindOf<P, N> extends 'oneway' ? N : never }[MethodName<P>];

/** The kind of a method. */
export type KindOf<P extends Protocol, N extends MethodName<P>> = KindOfMethod<P['methods'][N]>;

/** What a handler gets as the request of method N. */
export type RequestOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<P['methods'][N]['request']>;
/** What a caller gives as the request of method N. */
export type RequestInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<P['methods'][N]['request']>;
/** What a caller gets as the response of method N; `never` where it has none. */
export type ResponseOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<P['methods'][N]['response']>;
/** What a handler gives as the response of method N; `never` where it has none. */
export type ResponseInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<P['methods'][N]['response']>;
/** What a handler gets as an item that the caller of method N streams; `never` where it streams none. */
export type UploadOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<P['methods'][N]['upload']>;
/** What a caller of method N streams. */
export type UploadInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<P['methods'][N]['upload']>;
/** What a caller gets as an item that the callee of method N streams; `never` where it streams none. */
export type ItemOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<P['methods'][N]['download']>;
/** What a handler of method N streams. */
export type ItemInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<P['methods'][N]['download']>;

/**
 * One incoming call, of method N or, without N, of any method: a union that `switch (rpc.method)` narrows. It is answered
 * exactly once, by `respond`, `end` or `fail`; the first call of either settles it.
 */
export type Rpc<P extends Protocol, N extends MethodName<P> = MethodName<P>> = { [K in N]: RpcOfKind<P, K, KindOf<P, K>> }[N];

/** What the Rpc of every kind has. */
export interface RpcBase<N extends string, Request> {
  readonly method: N;
  /** Decoded and checked; a request that its codec refuses reaches no reader. */
  readonly request: Request;
  /** Who calls; a Target: it can be called back over the same connection. */
  readonly from: Remote;
  /** The version of the protocol that both ends agreed on. */
  readonly version: number;
  /** What the caller sent beside the request (at most 8 KiB); one shared frozen object where it sent none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborts when the caller cancels or is gone, or when the call's deadline passes; its reason is a TransportError. */
  readonly signal: AbortSignal;
  /** When the call ends, on `transport.clock`, in milliseconds; undefined where it has no end. */
  readonly deadline?: number | undefined;
  /**
   * Answers with an error: a TransportError crosses with its code, message, reason and metadata, anything else as `internal`
   * with its message. False where nobody waits for it: the caller is gone, or the call is one-way (counted). A second answer is
   * a TypeError.
   */
  fail(error: unknown): boolean;
}

/** Answers a unary or uploading call. */
export interface Responds<Response> {
  /**
   * Sends the response; false where the caller is gone. A value that its codec refuses throws `invalid_argument` here, and the
   * caller gets `internal`; answering twice is a TypeError.
   */
  respond(value: Response): boolean;
}

/** Answers a downloading or duplex call. */
export interface Streams<Item> {
  /**
   * Sends one item; resolves when there is room for the next, rejects once the call is over. After `end` it is a TypeError.
   */
  write(item: Item): Promise<void>;
  /** The stream is whole; false where the caller is gone. Answering twice is a TypeError. */
  end(): boolean;
}

/** The caller's stream. */
export interface Uploaded<Item> {
  /** Read once; leaving the loop tells the caller to send no more. It throws where the call ends before the stream does. */
  readonly upload: AsyncIterable<Item>;
}

/** An Rpc of a method `request: …, response: …`. */
export interface UnaryRpc<N extends string, Request, Response> extends RpcBase<N, Request>, Responds<Response> {
  readonly upload?: undefined;
}
/** An Rpc of a method that nobody answers: its `fail` is false and counted. */
export interface OneWayRpc<N extends string, Request> extends RpcBase<N, Request> {
  readonly upload?: undefined;
}
/** An Rpc whose caller streams. */
export interface UploadRpc<N extends string, Request, Item, Response> extends RpcBase<N, Request>, Uploaded<Item>, Responds<Response> {}
/** An Rpc whose callee streams. */
export interface DownloadRpc<N extends string, Request, Item> extends RpcBase<N, Request>, Streams<Item> {
  readonly upload?: undefined;
}
/** An Rpc where both stream. */
export interface DuplexRpc<N extends string, Request, Up, Down> extends RpcBase<N, Request>, Uploaded<Up>, Streams<Down> {}

/** Handlers for any subset of a protocol's methods: `{ requestVote: (request, rpc) => ({ … }) }`. */
export type Handlers<P extends Protocol> = { readonly [N in MethodName<P>]?: Handler<P, N> | undefined };

/**
 * Serves method N: gets the request and its Rpc (`from`, `signal`, `upload`, `write` …).
 *
 * - unary, upload: what it returns, or resolves to, answers; so does `rpc.respond`, and then it returns nothing.
 * - one-way: what it returns is ignored.
 * - download, duplex: it calls `rpc.write` (the stream ends when the handler has returned), or returns an AsyncIterable, whose
 *   iterator is returned when the caller leaves.
 *
 * One that throws, or rejects, answers with that error.
 */
export type Handler<P extends Protocol, N extends MethodName<P>> = (request: RequestOf<P, N>, rpc: Rpc<P, N>) => Answer<P, N, KindOf<P, N>>;

type Answer<P extends Protocol, N extends MethodName<P>, K extends MethodKind> = K extends 'unary' | 'upload'
  ? ResponseInput<P, N> | void | Promise<ResponseInput<P, N> | void>
  : K extends 'oneway'
    ? unknown
    : AsyncIterable<ItemInput<P, N>> | void | Promise<AsyncIterable<ItemInput<P, N>> | void>;

type RpcOfKind<P extends Protocol, N extends MethodName<P>, K extends MethodKind> = K extends 'unary'
  ? UnaryRpc<N, RequestOf<P, N>, ResponseInput<P, N>>
  : K extends 'oneway'
    ? OneWayRpc<N, RequestOf<P, N>>
    : K extends 'upload'
      ? UploadRpc<N, RequestOf<P, N>, UploadOf<P, N>, ResponseInput<P, N>>
      : K extends 'download'
        ? DownloadRpc<N, RequestOf<P, N>, ItemInput<P, N>>
        : DuplexRpc<N, RequestOf<P, N>, UploadOf<P, N>, ItemInput<P, N>>;

type KindOfMethod<M> = M extends { readonly download: Codec<any, any> }
  ? M extends { readonly upload: Codec<any, any> }
    ? 'duplex'
    : 'download'
  : M extends { readonly upload: Codec<any, any> }
    ? 'upload'
    : M extends { readonly response: Codec<any, any> }
      ? 'unary'
      : 'oneway';

type Decoded<C> = C extends Codec<infer Out, any> ? Out : never;
type Encoded<C> = C extends Codec<any, infer In> ? In : never;
