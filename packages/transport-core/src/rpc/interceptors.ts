// Outgoing and incoming calls as interceptors see them, and the chains that they pass. An
// InterceptedRpc holds the answer until the chain has returned it; then Serving sends it. Only
// Consumer calls `giveBack`, `abandon` and `leave`. transport-inmem/src/interceptors.test.ts tests
// this file.

import { TransportError } from '../errors.ts';
import type { ClientCall, ServerCall, ServerInterceptor, ServerNext } from '../interceptors.ts';
import type { Protocol, ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { closeItems, handled, isAsyncIterable } from '../session/streams.ts';
import { DONE, type Step, Steps } from '../steps.ts';
import { checkOptions, nameOf, type OwnOptions } from './call.ts';
import { type Inbox, NO_METADATA, type RpcHost } from './inbox.ts';
import {
  type AnyHandler,
  callOf,
  countLate,
  IncomingRpc,
  isThenable,
  UnhandledCall,
} from './rpc.ts';

/** Applies interceptors to the function that they wrap. */
export function compose<N>(interceptors: readonly ((next: N) => N)[], innermost: N): N {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}

// Outgoing calls.

/** A call that interceptors may change before it is made. */
export class InterceptedCall implements ClientCall {
  /** The transport that makes the call, for interceptors of the project's own packages. */
  readonly transport: { readonly protocol: Protocol };
  /** The definition of its method. */
  readonly definition: ProtocolMethod;
  target: string | Remote;
  request: unknown;
  metadata: Readonly<Record<string, string>>;
  upload: AsyncIterable<unknown> | undefined;
  signal: AbortSignal | undefined;
  /** The options as the caller gave them, after `checkOptions`. */
  private readonly given: OwnOptions;
  private readonly host: RpcHost;
  private readonly startedAt: number;

  constructor(
    transport: { readonly protocol: Protocol },
    host: RpcHost,
    definition: ProtocolMethod,
    target: string | Remote,
    request: unknown,
    given: OwnOptions,
  ) {
    this.transport = transport;
    this.definition = definition;
    this.target = target;
    this.request = request;
    this.metadata = given.metadata ?? NO_METADATA;
    this.upload = given.upload as AsyncIterable<unknown> | undefined;
    this.signal = given.signal;
    this.given = given;
    this.host = host;
    this.startedAt = host.ticker.now();
  }

  get protocol(): string {
    return this.transport.protocol.name;
  }

  get method(): string {
    return this.definition.name;
  }

  get kind(): ClientCall['kind'] {
    return this.definition.kind;
  }

  get deadline(): number | undefined {
    const { definition, given, host, startedAt } = this;
    // A call that streams has a deadline only if its caller set a timeout; see `Call.bounds`.
    const usual = definition.flags === 0 ? (definition.timeout ?? host.config.timeout) : undefined;
    const timeout = given.timeout ?? usual;
    return timeout === undefined || timeout === Number.POSITIVE_INFINITY
      ? undefined
      : startedAt + timeout;
  }

  /**
   * Returns the options with which the call is made; called for each attempt. The time since the
   * call was created counts toward the timeout, except toward that of the method of a call that
   * streams. Lists every member of OwnOptions; the compiler does not notice if one is missing.
   *
   * @throws what `checkOptions` throws for values that an interceptor has set, and
   * `deadline_exceeded`.
   */
  options(): OwnOptions {
    const { given, metadata, upload, signal, startedAt } = this;
    const now = this.host.ticker.now();
    if (
      now === startedAt &&
      metadata === (given.metadata ?? NO_METADATA) &&
      upload === given.upload &&
      signal === given.signal
    )
      return given;
    const deadline = now === startedAt ? undefined : this.deadline;
    const timeout = deadline === undefined ? given.timeout : deadline - now;
    if (timeout !== undefined && timeout <= 0) throw this.#expired();
    return checkOptions(this.definition, {
      timeout,
      metadata: metadata === NO_METADATA ? undefined : metadata,
      upload,
      signal,
    });
  }

  #expired(): TransportError {
    const target = nameOf(this.target);
    const message = `${this.definition.full} to ${target}: its deadline passed before it was sent; interceptors took the time`;
    return new TransportError('deadline_exceeded', message, { sent: false, target });
  }
}

// Incoming calls. The answer goes through the interceptors before it is sent, however the handler
// gives it.

/**
 * Wraps a handler in interceptors: the chain is built here, and each call gets an InterceptedRpc of
 * its own. The errors of the result must reach a Serving, which unwraps an UnhandledCall.
 */
export function intercepted(
  { protocol, host, handlerFailed: failed }: Inbox,
  interceptors: readonly ServerInterceptor[],
  handler: (request: unknown, call: InterceptedRpc) => unknown,
): AnyHandler {
  const chain: ServerNext = compose<ServerNext>(interceptors, (call) => {
    const rpc = call as InterceptedRpc;
    rpc.isReached = true;
    const inContext = rpc.streams ? host.contexts?.forItems() : undefined;
    const result = rpc.resultOf(rpc.returnedBy(handler), failed);
    if (!rpc.streams) return result;
    return rpc.keep(inContext === undefined ? result : inContext(result), failed);
  });
  return (_, rpc) => {
    const call = new InterceptedRpc(protocol.name, rpc);
    const passed = (value: unknown) => {
      if (!isAsyncIterable(value)) call.drop(failed);
      return value;
    };
    const rethrow = (error: unknown) => {
      if (call.streams) call.drop(failed);
      throw call.isReached ? error : new UnhandledCall(error);
    };
    let result: unknown;
    try {
      result = chain(call);
    } catch (error) {
      rethrow(error);
    }
    if (call.streams) return isThenable(result) ? result.then(passed, rethrow) : passed(result);
    return call.isReached || !isThenable(result) ? result : result.then(undefined, rethrow);
  };
}

/** The parts of an intercepted call that few calls need. */
class RareState {
  /** The metadata and the upload that an interceptor has set. */
  metadata: Readonly<Record<string, string>> | undefined = undefined;
  upload: AsyncIterable<unknown> | undefined = undefined;
  /**
   * True once the handler has answered through the members of the Rpc, has ended its items, or has
   * returned them.
   */
  isAnswered = false;
  /** True if the caller or the reader of a consumer was gone before the reader answered. */
  isAbandoned = false;
  /** The items that the handler writes. */
  pipe: ItemPipe | undefined = undefined;
  /** The items that the handler returned or writes; DROPPED if they are not wanted. */
  items: unknown = undefined;
  /**
   * The promise of the result, if the handler does not simply return it; see `#promised`. The first
   * of these settles it: the handler's answer (`respond`, `fail`, `end` or the first `write`), the
   * value or error with which the handler ends, `giveBack`, `abandon`, `leave`.
   */
  result: Promise<unknown> | undefined = undefined;
  declare resolve: (value: unknown) => void;
  declare reject: (error: unknown) => void;
}

/**
 * The call as the interceptors and the handler behind them see it, with the members of an Rpc. It
 * must override each member of IncomingRpc that answers or that interceptors may change.
 */
export class InterceptedRpc extends IncomingRpc implements ServerCall {
  readonly protocol: string;
  declare request: unknown;
  /** Whether the handler was called. */
  isReached = false;
  /**
   * All other state; set only for calls that interceptors change, whose answer is a stream, or
   * whose handler does more than return a plain value.
   */
  private rare: RareState | undefined = undefined;

  constructor(protocol: string, rpc: IncomingRpc) {
    super(callOf(rpc), rpc.request);
    this.protocol = protocol;
  }

  override get metadata(): Readonly<Record<string, string>> {
    return this.rare?.metadata ?? super.metadata;
  }

  override set metadata(metadata: Readonly<Record<string, string>>) {
    this.#state.metadata = metadata;
  }

  override get upload(): AsyncIterable<unknown> | undefined {
    return this.rare?.upload ?? super.upload;
  }

  override set upload(upload: AsyncIterable<unknown> | undefined) {
    this.#state.upload = upload;
  }

  /** True if its answer is a stream of items. */
  get streams(): boolean {
    return this.kind === 'download' || this.kind === 'duplex';
  }

  get #state(): RareState {
    this.rare ??= new RareState();
    return this.rare;
  }

  override respond(value: unknown): boolean {
    this.#claim('respond');
    this.#promised.resolve(value);
    return callOf(this).open;
  }

  override fail(error: unknown): boolean {
    if (this.kind === 'oneway') return super.fail(error);
    this.#claim('fail');
    this.#fails(error);
    return callOf(this).open;
  }

  override write(item: unknown): Promise<void> {
    if (!this.streams || callOf(this).gone !== undefined) return super.write(item);
    if (this.#state.isAnswered)
      throw new TypeError(`rpc.write: '${this.method}' has already ended`);
    // Nobody would take the item: the handler has failed, or an interceptor has answered.
    if (this.settled) return handled(Promise.reject(left()));
    return this.#items().write(item);
  }

  override end(): boolean {
    this.#claim('end');
    this.#items().end(undefined);
    return callOf(this).open;
  }

  #items(): ItemPipe {
    const state = this.#state;
    if (state.pipe === undefined) {
      state.pipe = new ItemPipe(callOf(this).channel.context.limits.outbound.messages);
      this.#promised.resolve(state.pipe);
    }
    return state.pipe;
  }

  #claim(how: string): void {
    const state = this.#state;
    if (state.isAnswered)
      throw new TypeError(`rpc.${how}: this call of '${this.method}' was already answered`);
    state.isAnswered = true;
    if (state.isAbandoned) countLate(callOf(this));
  }

  /** The state, with a promise of the result. */
  get #promised(): RareState {
    const state = this.#state;
    state.result ??= new Promise((resolve, reject) => Object.assign(state, { resolve, reject }));
    return state;
  }

  #fails(error: unknown): void {
    const { pipe } = this.#state;
    if (pipe !== undefined) return pipe.end({ error });
    const { result, reject } = this.#promised;
    // A handler may throw after it has failed the call, so that nobody gets the promise.
    void handled(result!);
    reject(error);
  }

  /** Calls the handler. What it throws after it has answered or written is a rejection. */
  returnedBy(handler: (request: unknown, call: InterceptedRpc) => unknown): unknown {
    try {
      return handler(this.request, this);
    } catch (error) {
      if (this.rare?.result === undefined) throw error;
      return Promise.reject(error);
    }
  }

  /**
   * Returns the result of the call, which is what the handler returned unless it answered by
   * itself.
   *
   * @param failed receives the error of a handler that has answered before.
   */
  resultOf(returned: unknown, failed: (error: unknown) => void): unknown {
    if (!isThenable(returned) && this.rare?.result === undefined) return returned;
    const { isAnswered, isAbandoned, pipe } = this.#state;
    // Otherwise an interceptor that calls the handler again, which `ServerNext` does not allow,
    // would get its first result.
    if (!isAnswered && !isAbandoned && pipe === undefined) this.#state.result = undefined;
    const state = this.#promised;
    Promise.resolve(returned).then(
      (value) => {
        if (!state.isAnswered && state.pipe === undefined) return state.resolve(value);
        closeItems(value, failed);
        if (!state.isAnswered) this.end();
      },
      (error) => {
        if (state.isAnswered) failed(error);
        else if (state.pipe !== undefined) state.pipe.end({ error });
        else state.reject(error);
      },
    );
    return state.result;
  }

  /** Remembers the handler's items, in case an interceptor does not pass them on. */
  keep(result: unknown, failed: (error: unknown) => void): unknown {
    if (isThenable(result)) {
      const kept = Promise.resolve(result).then((items) => this.keep(items, failed));
      // As in `#fails`: the handler has failed the call, and nobody may get the promise.
      result.then(undefined, () => {
        const { isAnswered, isAbandoned } = this.#state;
        if (isAnswered || isAbandoned) void handled(kept);
      });
      return kept;
    }
    const state = this.#state;
    // Without a pipe, the handler has returned, and writes nothing.
    state.isAnswered ||= state.pipe === undefined;
    if (state.items === DROPPED) closeItems(result, failed);
    else state.items = result;
    return result;
  }

  /** Closes the handler's items, also those that it returns from now on. */
  drop(failed: (error: unknown) => void): void {
    const state = this.#state;
    closeItems(state.items, failed);
    state.items = DROPPED;
  }

  /** Ends a one-way whose reader is done with it. */
  giveBack(): void {
    this.#promised.resolve(undefined);
  }

  /**
   * Ends the call because its caller is gone, unless its reader has answered. Interceptors see the
   * error; any answer that the reader gives from now on counts as late.
   */
  abandon(error: unknown): void {
    const state = this.#state;
    if (state.isAnswered) return;
    state.isAbandoned = true;
    callOf(this).answer();
    this.#fails(error);
  }

  /**
   * Ends the call because no reader will answer it. The call is not marked as answered, so its
   * caller gets the error that the interceptors pass on.
   */
  leave(): void {
    this.#state.isAbandoned = true;
    this.#fails(new TransportError('cancelled', 'its reader has left'));
  }
}

/** Stands for items that nobody wants. */
const DROPPED: unique symbol = Symbol('dropped');

/**
 * The items that a handler writes, as an iterable that interceptors can wrap. It holds only items
 * whose `write` is pending, and at most `limit` that nobody has taken. It cannot limit their bytes,
 * because they are not encoded yet.
 */
class ItemPipe extends Steps<unknown> {
  readonly #items: { item: unknown; taken(): void; refused(error: unknown): void }[] = [];
  /** Set once the handler has ended the stream, or has failed. */
  #end: { readonly error?: unknown } | undefined = undefined;
  #isLeft = false;
  /** Resolves the write of the item that the reader has taken last. */
  #taken: (() => void) | undefined = undefined;
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  /**
   * Resolves when the reader, which may still have to encode the item, asks for the next one, or
   * leaves. Rejects if the reader has left before it took the item, or if too many items wait.
   */
  write(item: unknown): Promise<void> {
    const waiting = this.#items.length;
    if (waiting >= this.#limit) {
      const message = `${waiting} items of this stream wait (limits.outbound): await write()`;
      return Promise.reject(new TransportError('resource_exhausted', message, { sent: false }));
    }
    const written = new Promise<void>((taken, refused) => {
      if (this.#isLeft) return refused(left());
      this.#items.push({ item, taken, refused });
      this.serve();
    });
    return handled(written);
  }

  /** Ends the stream after the items that were written, with an error if one is given. */
  end(failure: { readonly error: unknown } | undefined): void {
    this.#end ??= failure ?? {};
    this.serve();
  }

  protected step(): Step<unknown> {
    this.#taken?.();
    const first = this.#items.shift();
    this.#taken = first?.taken;
    if (first !== undefined) return { value: first.item, done: false };
    const end = this.#end;
    if (end === undefined) return undefined;
    this.#end = {};
    return 'error' in end ? { error: end.error } : DONE;
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#isLeft = true;
    this.#taken?.();
    for (const { refused } of this.#items.splice(0)) refused(left());
    this.end(undefined);
    return Promise.resolve(DONE);
  }
}

function left(): TransportError {
  return new TransportError('cancelled', 'the reader of the stream has left');
}
