// The readers of incoming calls: Serving runs handlers, and Consumer gives the calls to a loop of its
// user. Handlers start synchronously when a call is read; a handler that returns a plain value has
// answered before the next one runs.

import type { ReaderContext } from '../context.ts';
import type { TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { HANDLER, type InCall, READER } from '../session/incoming-calls.ts';
import { closeItems, isAsyncIterable } from '../session/streams.ts';
import { DONE } from '../steps.ts';
import type { Inbox } from './inbox.ts';
import { type InterceptedRpc, intercepted } from './interceptors.ts';
import {
  type AnyHandler,
  answer,
  answerTo,
  callOf,
  failWith,
  IncomingRpc,
  isThenable,
  stop,
  type Taker,
  toTransportError,
  UnhandledCall,
} from './rpc.ts';

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
  /** The handlers of methods, by the index of the method. */
  readonly #handlers: readonly (AnyHandler | undefined)[];
  readonly #options: ServingOptions;
  readonly #running = new Set<IncomingRpc>();
  #active = 0;
  #stopped = false;
  #idle: (() => void)[] = [];

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

/** Handlers that start in no context of their own, see `ownContext`. */
export const marked = new WeakSet<object>();

// Incoming calls as an async iterator, for `consumer()` of a transport. It takes a call only when
// its user requests the next one. Requesting another call means that the user is done with the
// oldest one-way; only then does the sender of that one-way get its credit back.

/** A call as it is read: through the interceptors, if the inbox has any. */
type ReadRpc = IncomingRpc | InterceptedRpc;

/** An async iterator over the calls of one inbox, to which it is a `Taker`. */
export class Consumer implements Taker, AsyncIterableIterator<ReadRpc> {
  readonly exclusive = false;
  feeding = false;
  readonly methods: ReadonlySet<string> | undefined;
  readonly context: ReaderContext | undefined;
  readonly #inbox: Inbox;
  /** Runs the interceptors; undefined if there are none. */
  readonly #serving: Serving | undefined;
  #over: boolean;
  /** One-ways that were read and still hold their credit, the oldest first. */
  readonly #read: { release(): void }[] = [];
  /** The calls of `next` that have no result yet, the oldest first. */
  readonly #waiting: ((result: IteratorResult<ReadRpc, undefined>) => void)[] = [];
  /** Calls that the interceptors have not passed on yet. */
  readonly #held = new Set<InCall>();
  /** Calls that the interceptors passed on when no reader was waiting. */
  readonly #passed: InterceptedRpc[] = [];

  /** @param methods the methods to read; undefined: all methods that no other reader takes. */
  constructor(inbox: Inbox, methods: ReadonlySet<string> | undefined) {
    this.#inbox = inbox;
    this.methods = methods;
    const isPlain = inbox.interceptors.length === 0;
    this.context = isPlain ? undefined : inbox.host.contexts?.reader();
    this.#serving = isPlain ? undefined : this.#intercept();
    this.#over = inbox.closed;
    if (!inbox.closed) inbox.add(this);
  }

  get ready(): boolean {
    return this.#waiting.length > this.#held.size;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ReadRpc, undefined>> {
    if (this.#over) return Promise.resolve(DONE);
    // This only queues the credit, so it cannot end this iterator.
    this.#read.shift()?.release();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      const passed = this.#passed.shift();
      if (passed === undefined) this.#inbox.feed(this);
      else this.#give(passed);
    });
  }

  /** Ends the iteration. Calls that were not read stay in the inbox, for other readers. */
  return(): Promise<IteratorResult<ReadRpc, undefined>> {
    if (!this.#over) this.#inbox.drop(this);
    this.close();
    return Promise.resolve(DONE);
  }

  take(call: InCall, request: unknown): void {
    if (this.#serving !== undefined) {
      this.#held.add(call);
      return this.#serving.take(call, request);
    }
    if (call.method.kind === 'oneway') this.#read.push(call);
    // The call counts as running until it is answered; see `Running` for the meaning of READER.
    else call.run(READER);
    this.#waiting.shift()!({ value: new IncomingRpc(call, request), done: false });
  }

  close(): void {
    this.#over = true;
    for (const call of this.#read.splice(0)) call.release();
    for (const call of this.#passed.splice(0)) call.leave();
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }

  /** Returns a serving whose handler gives each call to the reader and waits for its answer. */
  #intercept(): Serving {
    const inbox = this.#inbox;
    const pass = intercepted(inbox, inbox.interceptors, (_, call) => this.#pass(call));
    const handler: AnyHandler = async (request, rpc) => {
      try {
        return await pass(request, rpc);
      } catch (error) {
        // Nothing is sent or counted if the caller was gone before the reader answered.
        if (!rpc.settled) throw error;
        return undefined;
      } finally {
        // An interceptor may have answered by itself.
        if (this.#held.delete(callOf(rpc))) inbox.feed(this);
      }
    };
    const handlers = new Map([...inbox.table.byName.keys()].map((name) => [name, handler]));
    const concurrency = Number.POSITIVE_INFINITY;
    return new Serving(inbox, handlers, { concurrency, reads: false });
  }

  /** Receives a call from the interceptors. The promise stays pending: the reader answers. */
  #pass(call: InterceptedRpc): Promise<never> {
    this.#held.delete(callOf(call));
    const { signal } = call;
    const left = () => call.abandon(signal.reason);
    if (call.kind !== 'oneway') {
      if (signal.aborted) left();
      else signal.addEventListener('abort', left, { once: true });
    }
    if (this.#waiting.length > 0) this.#give(call);
    else if (this.#over) call.leave();
    else this.#passed.push(call);
    return new Promise(() => {});
  }

  #give(call: InterceptedRpc): void {
    if (call.kind === 'oneway') this.#read.push(call);
    this.#waiting.shift()!({ value: call, done: false });
  }
}
