// An incoming call as its reader sees it, answered exactly once. The `Rpc` types (types.ts) show
// only the methods that answer a call of its kind; the compiler does not compare IncomingRpc with
// them. InterceptedRpc (interceptors.ts) extends it and overrides the members that answer. Tested
// in rpc.test.ts. Below is Serving, the reader that runs handlers; its tests are in
// serving.test.ts.

import type { ReaderContext } from '../context.ts';
import { reasonError, TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { decodeAs, encodeAs } from '../protocol/codec.ts';
import type { MethodKind } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { HANDLER, type InCall } from '../session/incoming-calls.ts';
import { SIGNAL } from '../session/session-context.ts';
import { closeItems, handled, ItemReader, isAsyncIterable } from '../session/streams.ts';
import { errorText } from '../text.ts';
import { type Inbox, NO_METADATA, type Taker, withhold } from './inbox.ts';

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

  /**
   * True if the call was answered, or abandoned behind interceptors. A caller that has left does
   * not make it true.
   */
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
 * Answers a unary or uploading call, which must not be answered yet: this is not checked.
 *
 * @throws the error of the codec; the caller has then received an error, too.
 */
function answer(call: InCall, value: unknown): boolean {
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
 * only its observer gets the error, and `lateAnswer` counts it.
 *
 * @param isUnhandled true if no handler has seen the call.
 */
function failWith(rpc: IncomingRpc, error: TransportError, isUnhandled = false): boolean {
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
function stop(rpc: IncomingRpc, error: TransportError): void {
  failWith(rpc, error);
  rpc[CALL].left(error);
}

/**
 * Converts what a handler threw into the error for its caller. The error of another call would show
 * addresses and texts that are not meant for this caller, so it is withheld and, if the caller
 * still waits, reported as `callbackFailed`.
 */
function answerTo(call: InCall, error: unknown): TransportError {
  const withheld = withhold(call, error);
  if (withheld === undefined) return toTransportError(error);
  if (call.open) call.channel.mounted?.handlerFailed(error);
  return withheld;
}

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

/**
 * Must follow each answer: ends the run of the call (`InCall.handled`) and, if its caller was gone
 * (`open` is false), counts the answer as late. Returns `open`.
 */
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

/** The untyped form of a handler. */
export type AnyHandler = (request: unknown, rpc: IncomingRpc) => unknown;

type Thenable = PromiseLike<unknown>;

export function isThenable(value: unknown): value is Thenable {
  // (For bytes, V8 would look up `then` in three prototypes, and could not inline that.)
  if (value instanceof Uint8Array) return false;
  return typeof value === 'object' && typeof (value as Thenable | null)?.then === 'function';
}

/** Wraps the error of an interceptor that did not pass the call on: no handler has seen it. */
export class UnhandledCall {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

// Serving runs handlers. They start synchronously when the inbox hands a call over; a handler that
// returns a plain value has answered before the next one runs.

/** Options of a Serving. */
export interface ServingOptions {
  /** The `this` of the handlers. */
  readonly self?: unknown;
  /** The number of handlers that may run at a time. */
  readonly concurrency: number;
  /**
   * Converts a value that a handler threw into the error for the caller. The result is sent as it
   * is, even if it is the error of another call. Default: as `rpc.fail` does, which withholds such
   * an error.
   */
  readonly toError?: ((error: unknown) => TransportError) | undefined;
  /** Decides which calls the handlers get. */
  readonly allow?: AllowCall | undefined;
  /** False if the handlers get their calls from another reader. */
  readonly reads?: boolean | undefined;
}

/** A reader of calls that runs a handler for each. */
export class Serving implements Taker {
  readonly exclusive = true;
  /** Written by the inbox; see `Taker`. */
  feeding = false;
  readonly methods: ReadonlySet<string>;
  readonly allow: AllowCall | undefined;
  readonly context: ReaderContext | undefined;
  readonly #inbox: Inbox;
  /** The handlers of methods, by the index of the method. */
  readonly #handlers: readonly (AnyHandler | undefined)[];
  readonly #options: ServingOptions;
  /** The calls of handlers that go on after they have returned a promise or items. */
  readonly #running = new Set<IncomingRpc>();
  /**
   * The number of calls that were taken and whose handlers have not ended: `take` adds one, and
   * `#done` must follow exactly once for each.
   */
  #active = 0;
  #stopped = false;
  #idle: (() => void)[] = [];

  /** @throws TypeError if one of the methods has a reader already (`Inbox.add`). */
  constructor(inbox: Inbox, handlers: ReadonlyMap<string, AnyHandler>, options: ServingOptions) {
    this.#inbox = inbox;
    this.#handlers = Array.from(inbox.table.byName.keys(), (name) => handlers.get(name));
    this.methods = new Set(handlers.keys());
    this.#options = options;
    this.allow = options.allow;
    this.context = marked.has(options.self as object) ? undefined : inbox.host.contexts?.reader();
    if (!inbox.closed && options.reads !== false) inbox.add(this);
  }

  get ready(): boolean {
    return !this.#stopped && this.#active < this.#options.concurrency;
  }

  take(call: InCall, request: unknown): void {
    this.#active++;
    const rpc = new IncomingRpc(call, request);
    let result: unknown;
    try {
      const handler = this.#handlers[call.method.index]!;
      // (V8 does not inline handlers that are bound in advance.)
      result = handler.call(this.#options.self, request, rpc);
      if (isThenable(result)) return this.#later(rpc, call, result);
    } catch (error) {
      return this.#failed(rpc, call, error);
    }
    if (
      call.method.kind === 'unary' ? this.#respond(call, result) : this.#answer(rpc, call, result)
    )
      this.#done(call);
  }

  #later(rpc: IncomingRpc, call: InCall, result: PromiseLike<unknown>): void {
    this.#goesOn(rpc, call);
    // The `then` of a foreign thenable may throw.
    (result instanceof Promise ? result : Promise.resolve(result)).then(
      (value) => {
        this.#running.delete(rpc);
        if (this.#answer(rpc, call, value)) this.#done(call);
      },
      (error) => this.#failed(rpc, call, error),
    );
  }

  /** Ends a call whose handler has thrown. */
  #failed(rpc: IncomingRpc, call: InCall, error: unknown): void {
    this.#running.delete(rpc);
    this.#throws(rpc, call, error);
    this.#done(call);
  }

  /**
   * Records that a handler is still running; if it has not answered yet, its call counts as being
   * handled.
   */
  #goesOn(rpc: IncomingRpc, call: InCall): void {
    this.#running.add(rpc);
    if (!call.answered && !call.running) call.run(HANDLER);
  }

  close(): void {
    this.#stopped = true;
  }

  /** Takes no more calls; resolves when all running handlers have finished. */
  stop(): Promise<void> {
    if (!this.#stopped) this.#inbox.drop(this);
    this.#stopped = true;
    return this.#active === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#idle.push(resolve));
  }

  /**
   * Answers, with `error`, the calls of handlers that are still running, and aborts their signals,
   * because the grace period of `stop` is over.
   */
  failRunning(error: TransportError): void {
    for (const rpc of this.#running) if (!rpc.settled) this.#guarded(() => stop(rpc, error));
  }

  /**
   * Answers a call with a handler's result. Returns false if the answer is a stream, which calls
   * `#done` itself at its end.
   */
  #answer(rpc: IncomingRpc, call: InCall, value: unknown): boolean {
    const { kind } = call.method;
    if (kind === 'oneway') return true;
    if (kind === 'download' || kind === 'duplex') {
      if (rpc.settled || call.gone !== undefined) closeItems(value, this.#inbox.handlerFailed);
      else if (isAsyncIterable(value)) {
        this.#goesOn(rpc, call);
        void this.#stream(rpc, call, value);
        return false;
      }
      if (!rpc.settled) rpc.end();
      return true;
    }
    return this.#respond(call, value);
  }

  #respond(call: InCall, value: unknown): true {
    try {
      if (!call.answered) answer(call, value);
    } catch (error) {
      this.#inbox.handlerFailed(error);
    }
    return true;
  }

  async #stream(rpc: IncomingRpc, call: InCall, items: AsyncIterable<unknown>): Promise<void> {
    const { signal } = rpc;
    let iterator: AsyncIterator<unknown> | undefined;
    // The clean-up must run when the caller leaves, even if the source hangs.
    const leave = () =>
      this.#guarded(() => {
        Promise.resolve(iterator?.return?.()).catch(this.#inbox.handlerFailed);
      });
    signal.addEventListener('abort', leave, { once: true });
    try {
      iterator = items[Symbol.asyncIterator]();
      for (;;) {
        const { value, done } = await iterator.next();
        if (signal.aborted) break;
        if (done === true) {
          if (!rpc.settled) rpc.end();
          break;
        }
        await rpc.write(value);
      }
    } catch (error) {
      if (!signal.aborted) {
        leave();
        this.#throws(rpc, call, error);
      }
    }
    signal.removeEventListener('abort', leave);
    this.#running.delete(rpc);
    this.#done(call);
  }

  #throws(rpc: IncomingRpc, call: InCall, thrown: unknown): void {
    const isUnhandled = thrown instanceof UnhandledCall;
    const error = isUnhandled ? thrown.error : thrown;
    if (rpc.settled) return this.#inbox.handlerFailed(error);
    let answer: TransportError;
    try {
      const { toError } = this.#options;
      answer = toError === undefined ? answerTo(call, error) : toTransportError(toError(error));
    } catch (failure) {
      this.#inbox.handlerFailed(failure);
      answer = toTransportError(new Error('the handler failed'));
    }
    this.#guarded(() => void failWith(rpc, answer, isUnhandled));
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#inbox.handlerFailed(error);
    }
  }

  #done(call: InCall): void {
    this.#active--;
    if (call.account !== undefined) call.giveBack();
    call.handled();
    if (call.channel.crowded) this.#inbox.uncrowded(call.channel);
    if (this.#stopped) this.#tellIdle();
    else if (this.#active === this.#options.concurrency - 1) this.#inbox.feed(this);
  }

  #tellIdle(): void {
    if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** The `self` of handlers that start in no context of their own; see `ownContext`. */
export const marked = new WeakSet<object>();
