// Runs handlers for incoming calls. They start synchronously when a call is read; a handler that
// returns a plain value has answered before the next one runs.

import type { ReaderContext } from '../context.ts';
import type { TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { HANDLER, type InCall } from '../session/incoming-calls.ts';
import { closeItems, isAsyncIterable } from '../session/streams.ts';
import type { Inbox } from './inbox.ts';
import {
  answer,
  answerTo,
  failWith,
  type IncomingRpc,
  stop,
  type Taker,
  toTransportError,
} from './rpc.ts';

/** The untyped form of a handler. */
export type AnyHandler = (request: unknown, rpc: IncomingRpc) => unknown;

/** Options of a Serving. */
export interface ServingOptions {
  /** The `this` of the handlers. */
  readonly self?: unknown;
  /** The number of handlers that may run at a time. */
  readonly concurrency: number;
  /**
   * Converts a value that a handler threw into the error for the caller. Default: as `rpc.fail`
   * does.
   */
  readonly toError?: ((error: unknown) => TransportError) | undefined;
  /**
   * Receives errors that can't be sent to a caller, such as those of a handler's clean-up or of a
   * handler that has answered already.
   */
  readonly failed: (error: unknown) => void;
  /** Decides which calls the handlers get. */
  readonly allow?: AllowCall | undefined;
  /** False if the handlers get their calls from another reader. */
  readonly reads?: boolean | undefined;
}

/** A reader of calls that runs a handler for each. */
export class Serving implements Taker {
  readonly exclusive = true;
  feeding = false;
  readonly methods: ReadonlySet<string>;
  readonly allow: AllowCall | undefined;
  readonly context: ReaderContext | undefined;
  readonly #inbox: Inbox;
  readonly #handlers: ReadonlyMap<string, AnyHandler>;
  /** The handlers of methods with low ids, by id. */
  readonly #byLowId: readonly (AnyHandler | undefined)[];
  readonly #options: ServingOptions;
  readonly #running = new Set<IncomingRpc>();
  #active = 0;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(inbox: Inbox, handlers: ReadonlyMap<string, AnyHandler>, options: ServingOptions) {
    this.#inbox = inbox;
    this.#handlers = handlers;
    this.#byLowId = inbox.table.byLowId.map((method) => method && handlers.get(method.name));
    this.methods = new Set(handlers.keys());
    this.#options = options;
    this.allow = options.allow;
    this.context = marked.has(options.self as object) ? undefined : inbox.contexts?.reader();
    if (!inbox.closed && options.reads !== false) inbox.add(this);
  }

  get ready(): boolean {
    return !this.#stopped && this.#active < this.#options.concurrency;
  }

  take(rpc: IncomingRpc, call: InCall): void {
    this.#active++;
    let result: unknown;
    try {
      const handler = this.#byLowId[call.method.id] ?? this.#handlers.get(call.method.name)!;
      // (V8 does not inline handlers that are bound in advance.)
      result = handler.call(this.#options.self, rpc.request, rpc);
      if (isThenable(result)) return this.#later(rpc, call, result);
    } catch (error) {
      this.#running.delete(rpc);
      this.#throws(rpc, call, error);
      return this.#done(call);
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
      (error) => {
        this.#running.delete(rpc);
        this.#throws(rpc, call, error);
        this.#done(call);
      },
    );
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
      if (rpc.settled || call.gone !== undefined) closeItems(value, this.#options.failed);
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
      this.#options.failed(error);
    }
    return true;
  }

  async #stream(rpc: IncomingRpc, call: InCall, items: AsyncIterable<unknown>): Promise<void> {
    const { signal } = rpc;
    let iterator: AsyncIterator<unknown> | undefined;
    // The clean-up must run when the caller leaves, even if the source hangs.
    const leave = () =>
      void this.#guarded(() => Promise.resolve(iterator?.return?.()).catch(this.#options.failed));
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
    if (rpc.settled) return this.#options.failed(error);
    let answer: TransportError;
    try {
      const { toError } = this.#options;
      answer = toError === undefined ? answerTo(call, error) : toTransportError(toError(error));
    } catch (failure) {
      this.#options.failed(failure);
      answer = toTransportError(new Error('the handler failed'));
    }
    this.#guarded(() => void failWith(rpc, answer, isUnhandled));
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #done(call: InCall): void {
    this.#active--;
    if (call.account !== undefined) call.release();
    call.handled();
    if (call.channel.crowded) this.#inbox.uncrowded(call.channel);
    if (this.#stopped) this.#tellIdle();
    else if (this.#active === this.#options.concurrency - 1) this.#inbox.feed(this);
  }

  #tellIdle(): void {
    if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  // (For bytes, V8 would look up `then` in three prototypes, and could not inline that.)
  if (value instanceof Uint8Array) return false;
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}

// The error of an interceptor that threw before it passed the call on: no handler has seen it.

/** Wraps an interceptor's error, to mark that no handler has seen the call. */
export class UnhandledCall {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

// Handlers that start in no context of their own, see `ownContext`.

export const marked = new WeakSet<object>();
