// An incoming call as its reader sees it, answered exactly once. The `Rpc` types show only the
// methods that answer a call of its kind.

import type { ReaderContext } from '../context.ts';
import { reasonError, stackless, TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { decodeAs, encodeAs } from '../protocol/codec.ts';
import type { MethodKind } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import type { InCall } from '../session/incoming-calls.ts';
import { SIGNAL } from '../session/session-context.ts';
import { handled, ItemReader } from '../session/streams.ts';
import { errorText } from '../text.ts';

/**
 * The key of the call behind an Rpc. (A private field would keep V8 from inlining the constructor
 * into its callers.)
 */
const CALL: unique symbol = Symbol('call');

/**
 * The implementation of the `Rpc` types: `respond`, `fail` and the other methods are on the
 * prototype, and costly parts are created at first use.
 */
export class IncomingRpc {
  readonly request: unknown;
  readonly [CALL]: InCall;

  constructor(call: InCall, request: unknown) {
    this.request = request;
    this[CALL] = call;
  }

  get version(): number {
    return this[CALL].channel.version;
  }

  get method(): string {
    return this[CALL].method.name;
  }

  get kind(): MethodKind {
    return this[CALL].method.kind;
  }

  get from(): Remote {
    return this[CALL].from!;
  }

  get metadata(): Readonly<Record<string, string>> {
    const { metadata } = this[CALL];
    return metadata === undefined ? NO_METADATA : Object.freeze(metadata);
  }

  get signal(): AbortSignal {
    const seen = seenOf(this[CALL]);
    seen.controller ??= controllerOf(this[CALL]);
    return seen.controller.signal;
  }

  get deadline(): number | undefined {
    return this[CALL].due === Number.POSITIVE_INFINITY ? undefined : this[CALL].due;
  }

  /** True if the call was answered or can't be answered anymore. */
  get settled(): boolean {
    return this[CALL].answered;
  }

  fail(error: unknown): boolean {
    return failWith(this, answerTo(this[CALL], error));
  }

  /** Answers a unary or uploading call. */
  respond(value: unknown): boolean {
    const call = this[CALL];
    if (call.method.response === undefined) throw unfit(call, 'respond');
    claim(call, 'respond');
    return answer(call, value);
  }

  /** Sends an item of a downloading or duplex call. */
  write(item: unknown): Promise<void> {
    const { method, download, gone, observer } = this[CALL];
    if (method.download === undefined) throw unfit(this[CALL], 'write');
    if (this[CALL].answered && gone === undefined)
      throw new TypeError(`rpc.write: '${method.name}' has already ended`);
    if (gone !== undefined) return handled(Promise.reject(gone));
    let payload: Uint8Array;
    try {
      payload = encodeAs(method.download, method.what.download, item);
    } catch (error) {
      return Promise.reject(error);
    }
    observer?.itemSent(payload.length);
    return download!.write(payload);
  }

  /** Ends the items of a downloading or duplex call. */
  end(): boolean {
    const call = this[CALL];
    if (call.method.download === undefined) throw unfit(call, 'end');
    claim(call, 'end');
    const open = call.carrier.finish(call);
    if (open) call.observer?.answered(0);
    return told(call, open);
  }

  get upload(): AsyncIterable<unknown> | undefined {
    const { method, upload, observer } = this[CALL];
    if (upload === undefined) return undefined;
    const seen = seenOf(this[CALL]);
    seen.upload ??= new ItemReader(upload, {
      decode: (bytes) => {
        observer?.itemReceived(bytes.length);
        return decodeAs(method.upload!, method.what.upload, bytes);
      },
      failure: (error) => error,
    });
    return seen.upload;
  }

  /** Returns the form that Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { method, version, from, request, metadata, deadline, settled } = this;
    return { method, version, from: from?.endpoint, request, metadata, deadline, settled };
  }
}

/** Returns the call behind an Rpc. */
export function callOf(rpc: IncomingRpc): InCall {
  return rpc[CALL];
}

function unfit({ method }: InCall, how: string): TypeError {
  const way = method.response === undefined ? 'write and end' : 'respond';
  const rest = method.kind === 'oneway' ? 'has no answer' : `is answered by ${way}`;
  return new TypeError(`rpc.${how}: '${method.name}' is ${method.kind} and ${rest}`);
}

/**
 * Marks a call as answered.
 *
 * @throws TypeError if it was answered before.
 */
function claim(call: InCall, how: string): void {
  if (call.answered)
    throw new TypeError(`rpc.${how}: this call of '${call.method.name}' was already answered`);
  call.answer();
}

/**
 * Answers a unary or uploading call for the first time.
 *
 * @throws the error of the codec; the caller has then received an error, too.
 */
export function answer(call: InCall, value: unknown): boolean {
  const { carrier, method } = call;
  call.answer();
  let payload: Uint8Array;
  try {
    payload = encodeAs(method.response!, method.what.response, value);
  } catch (error) {
    told(call, carrier.fail(call, badResponse(error), false));
    throw error;
  }
  const open = carrier.respond(call, payload);
  // If the session had to send an error instead, the observer knows already.
  if (open) call.observer?.answered(payload.length);
  return told(call, open);
}

/**
 * Answers a call with this error, even if it is the error of another call. A one-way has no answer:
 * only its observer gets the error.
 *
 * @param isUnhandled true if no handler has seen the call.
 */
export function failWith(rpc: IncomingRpc, error: TransportError, isUnhandled = false): boolean {
  const call = rpc[CALL];
  if (call.method.kind === 'oneway') {
    call.observer?.failed(error);
    countLate(call);
    return false;
  }
  claim(call, 'fail');
  return told(call, call.carrier.fail(call, error, isUnhandled));
}

/** Answers a call with an error while its handler runs, and aborts the signal of the handler. */
export function stop(rpc: IncomingRpc, error: TransportError): void {
  failWith(rpc, error);
  rpc[CALL].left(error);
}

/**
 * Converts what a handler threw into the error for its caller. The error of another call would show
 * addresses and texts that are not meant for this caller, so it is withheld and reported.
 */
export function answerTo(call: InCall, error: unknown): TransportError {
  const withheld = withhold(call, error);
  if (withheld === undefined) return toTransportError(error);
  if (call.open) call.channel.mounted?.handlerFailed(error);
  return withheld;
}

/**
 * Returns a neutral error to send instead of the error of another call, which has a target;
 * undefined for any other error. Only a deadline that this call has handed on stays one.
 */
export function withhold(call: InCall, error: unknown): TransportError | undefined {
  if (!(error instanceof TransportError) || error.target === undefined) return undefined;
  const { due, method } = call;
  if (method.kind === 'oneway') return undefined;
  const isItsDeadline =
    due < Number.POSITIVE_INFINITY && (dues.get(error) ?? 0) >= due - SAME_DEADLINE;
  return stackless(
    isItsDeadline ? 'deadline_exceeded' : 'internal',
    `'${method.full}': another call that was made to answer it has failed; see the log of the node`,
    { cause: error },
  );
}

/**
 * The deadlines of calls that have failed with `deadline_exceeded`, by their errors. A handler may
 * have made such a call for a caller with the same deadline.
 */
export const dues = new WeakMap<TransportError, number>();

/**
 * A handler computes the timeout of another call from its own deadline a little later than the call
 * begins. Deadlines that differ by at most this number of milliseconds count as the same.
 */
const SAME_DEADLINE = 100;

function badResponse(error: unknown): TransportError {
  const message = `the handler returned a response that its codec rejects: ${errorText(error)}`;
  return error instanceof TransportError && error.reason === 'too_large'
    ? reasonError('too_large', message)
    : new TransportError('internal', message);
}

/** Counts an answer whose caller was gone, and the failure of a one-way. */
export function countLate(call: InCall): void {
  call.channel.context.count('lateAnswer', 1);
}

function told(call: InCall, open: boolean): boolean {
  call.handled();
  if (!open) {
    call.observer?.left(call.gone ?? new TransportError('cancelled', 'the caller was gone'));
    countLate(call);
  }
  return open;
}

/** Rarely used parts of an Rpc, created when they are first used. */
interface Seen {
  controller?: AbortController;
  upload?: ItemReader<unknown>;
}

function seenOf(call: InCall): Seen {
  return call.seen ?? call.remember<Seen>({});
}

function controllerOf(call: InCall): AbortController {
  call.channel.context.spend(SIGNAL);
  const controller = new AbortController();
  if (call.gone !== undefined) controller.abort(call.gone);
  else call.whenGone((error) => controller.abort(error));
  return controller;
}

/**
 * Charges the peer that made a call for work beyond the bytes of the call, in work units
 * (session-context.ts). They count for the turn of the event loop in which the call is read, or, if
 * that turn is over, for the next one in which its connection is read.
 */
export function charge(rpc: { readonly from: Remote }, units: number): void {
  (rpc as IncomingRpc)[CALL].channel.context.spend(units);
}

/** Shared by all calls without metadata. */
export const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Converts a value that a handler threw into the error for the caller: a TransportError stays as it
 * is; anything else becomes `internal` with its message, but without its stack trace.
 */
export function toTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  let message = 'the handler failed';
  try {
    message = errorText(error);
  } catch {
    // The thrown value can't be converted to text.
  }
  return new TransportError('internal', message);
}

/** A reader of calls: a server (`serve`) or a consumer. */
export interface Taker {
  /** The methods it takes; undefined means all methods that no other reader takes. */
  readonly methods: ReadonlySet<string> | undefined;
  /** True for a server (`serve`): no other reader may name its methods. */
  readonly exclusive: boolean;
  /** The context in which each of its calls starts; undefined if that does not matter. */
  readonly context?: ReaderContext | undefined;
  /** Decides which calls it gets. */
  readonly allow?: AllowCall | undefined;
  /** True if it could take another call now. */
  readonly ready: boolean;
  /**
   * True while it is being fed: if it becomes ready again meanwhile, the running loop continues.
   */
  feeding: boolean;
  /**
   * Receives a call and its decoded request, which belong to this reader from now on. Must not
   * throw.
   */
  take(call: InCall, request: unknown): void;
  /** Called when the transport or its mount closes. */
  close(): void;
}

/** The untyped form of a handler. */
export type AnyHandler = (request: unknown, rpc: IncomingRpc) => unknown;

type Thenable = PromiseLike<unknown>;

export function isThenable(value: unknown): value is Thenable {
  // (For bytes, V8 would look up `then` in three prototypes, and could not inline that.)
  if (value instanceof Uint8Array) return false;
  return typeof value === 'object' && typeof (value as Thenable | null)?.then === 'function';
}

/** Wraps the error that an interceptor threw before it passed the call on: no handler has seen it. */
export class UnhandledCall {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}
