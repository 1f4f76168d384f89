// The types that follow from a protocol's definition: requests, responses, stream items, the Rpc
// that a reader receives, and a server's handlers. transport/types.test.ts tests the types.
//
// IncomingRpc (rpc.ts) implements the Rpc; InterceptedRpc (interceptors.ts) extends it, and holds
// answers back until the interceptors have seen them. The compiler compares neither with the types
// here: add each new member to IncomingRpc, too, and test it in rpc.test.ts. Override a member that
// answers, or that interceptors may change, in InterceptedRpc as well, because it would bypass them
// otherwise, and test it in interceptors.test.ts of transport-inmem.

import type { Codec } from '../protocol/codec.ts';
import type { MethodKind, Protocol } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';

/** The names of a protocol's methods. */
export type MethodName<P extends Protocol> = keyof P['methods'] & string;

/** The names of a protocol's one-way methods. */
export type OneWayName<P extends Protocol> = {
  [N in MethodName<P>]: KindOf<P, N> extends 'oneway' ? N : never;
}[MethodName<P>];

/** The kind of a method. */
export type KindOf<P extends Protocol, N extends MethodName<P>> = KindOfMethod<P['methods'][N]>;

/** The request of method N as its handler receives it. */
export type RequestOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<
  P['methods'][N]['request']
>;
/** The request of method N as its caller passes it. */
export type RequestInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<
  P['methods'][N]['request']
>;
/** The response of method N as its caller receives it; `never` if the method has none. */
export type ResponseOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<
  P['methods'][N]['response']
>;
/** The response of method N as its handler passes it; `never` if the method has none. */
export type ResponseInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<
  P['methods'][N]['response']
>;
/**
 * An item that the caller of method N streams, as the handler receives it; `never` if the method
 * has no upload.
 */
export type UploadOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<
  P['methods'][N]['upload']
>;
/** An item that the caller of method N streams, as the caller passes it. */
export type UploadInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<
  P['methods'][N]['upload']
>;
/**
 * An item that the callee of method N streams, as the caller receives it; `never` if the method has
 * no download.
 */
export type ItemOf<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Decoded<
  P['methods'][N]['download']
>;
/** An item that a handler of method N streams, as the handler passes it. */
export type ItemInput<P extends Protocol, N extends MethodName<P> = MethodName<P>> = Encoded<
  P['methods'][N]['download']
>;

/**
 * One incoming call of method N or, without N, of any method: a union that `switch (rpc.method)`
 * narrows. A call is answered exactly once: by `respond`, `end` or `fail`, or by what its handler
 * returns or throws. The first of them settles it. A one-way is never answered.
 */
export type Rpc<P extends Protocol, N extends MethodName<P> = MethodName<P>> = {
  [K in N]: RpcOfKind<P, K, KindOf<P, K>>;
}[N];

/** The members that the Rpc of every kind of method has. */
export interface RpcBase<N extends string, Request> {
  readonly method: N;
  /** The decoded and checked request. A request that its codec refuses reaches no reader. */
  readonly request: Request;
  /** The caller's connection. It is a Target, so you can call back over it. */
  readonly from: Remote;
  /** The version of the protocol that both ends agreed on. */
  readonly version: number;
  /**
   * The metadata that the caller sent with the request, at most 8 KiB. If there is none, it is a
   * shared, frozen, empty object.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Aborts when nobody awaits the answer anymore: the caller cancels or is gone, the deadline
   * passes, its upload can't be received, its protocol is closed here, or the grace period of
   * `Server.stop` ends. The signal of a one-way aborts only in the last case. Its reason is a
   * TransportError.
   */
  readonly signal: AbortSignal;
  /**
   * The time on `transport.clock`, in milliseconds, at which the call expires; undefined if the
   * call has no deadline.
   */
  readonly deadline?: number | undefined;
  /**
   * Answers with an error. The caller gets a TransportError with its code, message, reason and
   * metadata, and anything else as `internal` with its message. The error of another call, which
   * has a `target`, is sent with a neutral text: as `deadline_exceeded` if the other call had the
   * deadline of this one, otherwise as `internal`. Returns false if no caller waits for the answer:
   * the caller is gone, or the call is one-way. The counter `lateAnswer` counts both. Throws a
   * TypeError if the call was answered before.
   */
  fail(error: unknown): boolean;
}

/** Answers a unary or uploading call. */
export interface RpcWithResponse<Response> {
  /**
   * Sends the response. Returns false if the caller is gone. If the codec refuses the value, this
   * throws `invalid_argument` and the caller gets `internal`; a value above a limit of the codec is
   * `resource_exhausted` at both ends. Behind server interceptors, which see the value first, this
   * does not throw these errors: they are reported as `callbackFailed`. If the encoded response is
   * above the caller's `limits.message` or has no room in `limits.memory`, the caller gets
   * `resource_exhausted`, and this returns true. Throws a TypeError if the call was answered
   * before.
   */
  respond(value: Response): boolean;
}

/** Answers a downloading or duplex call. */
export interface RpcWithDownload<Item> {
  /**
   * Sends one item. Resolves when the item was written to the batch of its connection or, behind
   * server interceptors, when the next item is requested from them. Rejects once the call has
   * ended; that rejection never counts as unhandled, so a handler need not catch it. Also rejects
   * with `resource_exhausted` if too many items wait (`limits.outbound`) because the handler does
   * not await its writes, and for an item that its codec refuses or that is above the caller's
   * `limits.item`. Behind server interceptors, such an item fails the call instead, and only the
   * number of items that wait is limited, not their bytes. Throws a TypeError after `end` or `fail`
   * and after the handler has returned, unless the caller is gone.
   */
  write(item: Item): Promise<void>;
  /**
   * Ends the stream. Returns false if the caller is gone. Throws a TypeError if the call was
   * answered before.
   */
  end(): boolean;
}

/** Receives the stream of the caller. */
export interface RpcWithUpload<Item> {
  /**
   * The items that the caller streams. The iterable can be read only once. After the loop was left,
   * further items are dropped as they arrive; the answer makes the caller stop. The iterator throws
   * if an item can't be decoded, and if the call ends before the stream does.
   */
  readonly upload: AsyncIterable<Item>;
}

/** The Rpc of a unary method: one request, one response. */
export interface UnaryRpc<N extends string, Request, Response>
  extends RpcBase<N, Request>,
    RpcWithResponse<Response> {
  readonly upload?: undefined;
}
/**
 * The Rpc of a one-way method. It has no answer: `fail` returns false and counts in `lateAnswer`,
 * each time that it is called.
 */
export interface OneWayRpc<N extends string, Request> extends RpcBase<N, Request> {
  readonly upload?: undefined;
}
/** The Rpc of a method whose caller streams. */
export interface UploadRpc<N extends string, Request, Item, Response>
  extends RpcBase<N, Request>,
    RpcWithUpload<Item>,
    RpcWithResponse<Response> {}
/** The Rpc of a method whose callee streams. */
export interface DownloadRpc<N extends string, Request, Item>
  extends RpcBase<N, Request>,
    RpcWithDownload<Item> {
  readonly upload?: undefined;
}
/** The Rpc of a method where both ends stream. */
export interface DuplexRpc<N extends string, Request, Up, Down>
  extends RpcBase<N, Request>,
    RpcWithUpload<Up>,
    RpcWithDownload<Down> {}

/**
 * Handlers for any subset of a protocol's methods: `{ requestVote: (request, rpc) => ({ … }) }`.
 */
export type Handlers<P extends Protocol> = {
  readonly [N in MethodName<P>]?: Handler<P, N> | undefined;
};

/**
 * Serves method N. It receives the request and its Rpc (`from`, `signal`, `upload`, `write` …).
 *
 * - unary, upload: the value that it returns, or resolves to, is the response. A handler that calls
 *   `rpc.respond` returns nothing.
 * - one-way: its result is ignored. The call counts as being handled, and holds the credit of its
 *   sender, until a promise that the handler returns has settled.
 * - download, duplex: it either calls `rpc.write` (the stream ends when the handler returns) or
 *   returns an AsyncIterable, whose iterator is closed (`return`) when the call ends early, even if
 *   it had ended before the handler returned.
 *
 * If the handler throws or rejects, the caller gets that error as `rpc.fail` sends it, or as
 * `ServeOptions.toError` converts it. After an answer, the error is reported as `callbackFailed`.
 */
export type Handler<P extends Protocol, N extends MethodName<P>> = (
  request: RequestOf<P, N>,
  rpc: Rpc<P, N>,
) => Answer<P, N, KindOf<P, N>>;

type Answer<P extends Protocol, N extends MethodName<P>, K extends MethodKind> = K extends
  | 'unary'
  | 'upload'
  ? ResponseInput<P, N> | void | Promise<ResponseInput<P, N> | void>
  : K extends 'oneway'
    ? unknown
    : AsyncIterable<ItemInput<P, N>> | void | Promise<AsyncIterable<ItemInput<P, N>> | void>;

type RpcOfKind<P extends Protocol, N extends MethodName<P>, K extends MethodKind> = {
  unary: UnaryRpc<N, RequestOf<P, N>, ResponseInput<P, N>>;
  oneway: OneWayRpc<N, RequestOf<P, N>>;
  upload: UploadRpc<N, RequestOf<P, N>, UploadOf<P, N>, ResponseInput<P, N>>;
  download: DownloadRpc<N, RequestOf<P, N>, ItemInput<P, N>>;
  duplex: DuplexRpc<N, RequestOf<P, N>, UploadOf<P, N>, ItemInput<P, N>>;
}[K];

/** The kind of a method, by the same rule as in `toMethod` (protocol.ts), which sets it. */
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
