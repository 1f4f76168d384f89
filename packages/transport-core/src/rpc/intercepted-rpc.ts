// An incoming call as server interceptors and the handler behind them see it. Its answer goes
// through the interceptors before it is sent, however the handler gives it.

import { TransportError } from '../errors.ts';
import {
  compose,
  type ServerCall,
  type ServerInterceptor,
  type ServerNext,
} from '../interceptors.ts';
import type { Remote } from '../remote.ts';
import { handled } from '../session/streams.ts';
import type { Inbox } from './inbox.ts';
import { closeItems, isAsyncIterable } from './item-reader.ts';
import { answeredLate, type IncomingRpc } from './rpc.ts';
import { type AnyHandler, UnhandledCall } from './serving.ts';

/** Wraps a handler in interceptors, once. */
export function intercepted(
  { protocol, contexts, handlerFailed: failed }: Inbox,
  interceptors: readonly ServerInterceptor[],
  handler: (request: unknown, call: InterceptedRpc) => unknown,
): AnyHandler {
  const chain: ServerNext = compose<ServerNext>(interceptors, (call) => {
    const rpc = call as InterceptedRpc;
    rpc.isReached = true;
    const inContext = rpc.streams ? contexts?.forItems() : undefined;
    const result = rpc.resultOf(handler(rpc.request, rpc), failed);
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
interface RareState {
  /** The metadata and the upload that an interceptor has set. */
  metadata: Readonly<Record<string, string>> | undefined;
  upload: AsyncIterable<unknown> | undefined;
  /** True once the handler has answered through the members of the Rpc. */
  isAnswered: boolean;
  /** True if the caller was gone before the handler answered. */
  isAbandoned: boolean;
  /** The answer that the handler gave before it returned: a value or an error. */
  answer: { readonly value?: unknown; readonly error?: unknown } | undefined;
  /** The items that the handler writes. */
  pipe: ItemPipe | undefined;
  /** The items that the handler returned or writes; DROPPED if they are not wanted. */
  items: unknown;
  /** Settles the promise of the result. */
  settle: { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
}

/** The call, with the same members as any other Rpc. */
export class InterceptedRpc implements ServerCall {
  readonly protocol: string;
  request: unknown;
  /** Whether the handler was called. */
  isReached = false;
  /** The call as it would be without interceptors. */
  readonly incoming: IncomingRpc;
  /**
   * All other state; set only for calls that interceptors change or whose handler does more than
   * return a value.
   */
  private rare: RareState | undefined = undefined;

  constructor(protocol: string, rpc: IncomingRpc) {
    this.protocol = protocol;
    this.incoming = rpc;
    this.request = rpc.request;
  }

  get method(): string {
    return this.incoming.method;
  }

  get kind(): ServerCall['kind'] {
    return this.incoming.kind;
  }

  get from(): Remote {
    return this.incoming.from;
  }

  get version(): number {
    return this.incoming.version;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.rare?.metadata ?? this.incoming.metadata;
  }

  set metadata(metadata: Readonly<Record<string, string>>) {
    this.#state().metadata = metadata;
  }

  get upload(): AsyncIterable<unknown> | undefined {
    return this.rare?.upload ?? this.incoming.upload;
  }

  set upload(upload: AsyncIterable<unknown> | undefined) {
    this.#state().upload = upload;
  }

  get signal(): AbortSignal {
    return this.incoming.signal;
  }

  get deadline(): number | undefined {
    return this.incoming.deadline;
  }

  /** True if its answer is a stream of items. */
  get streams(): boolean {
    return this.kind === 'download' || this.kind === 'duplex';
  }

  respond(value: unknown): boolean {
    this.#claim('respond');
    this.#settle({ value });
    return this.incoming.isAwaited;
  }

  fail(error: unknown): boolean {
    if (this.kind === 'oneway') return this.incoming.fail(error);
    this.#claim('fail');
    const { pipe } = this.#state();
    if (pipe !== undefined) pipe.end({ error });
    else this.#settle({ error });
    return this.incoming.isAwaited;
  }

  write(item: unknown): Promise<void> {
    if (this.#state().isAnswered)
      throw new TypeError(`rpc.write: '${this.method}' has already ended`);
    return this.#items().write(item);
  }

  end(): boolean {
    this.#claim('end');
    this.#items().end(undefined);
    return this.incoming.isAwaited;
  }

  #items(): ItemPipe {
    const state = this.#state();
    if (state.pipe === undefined) {
      state.pipe = new ItemPipe();
      this.#settle({ value: state.pipe });
    }
    return state.pipe;
  }

  #claim(how: string): void {
    const state = this.#state();
    if (state.isAnswered)
      throw new TypeError(`rpc.${how}: this call of '${this.method}' was already answered`);
    state.isAnswered = true;
    if (state.isAbandoned) answeredLate(this.incoming);
  }

  #settle(answer: { readonly value?: unknown; readonly error?: unknown }): void {
    const state = this.#state();
    if (state.settle === undefined) state.answer = answer;
    else if ('error' in answer) state.settle.reject(answer.error);
    else state.settle.resolve(answer.value);
  }

  /**
   * Returns the result of the call, which is what the handler returned unless it answered by
   * itself.
   *
   * @param failed receives the error of a handler that has answered before.
   */
  resultOf(returned: unknown, failed: (error: unknown) => void): unknown {
    if (!isThenable(returned)) {
      if (this.rare === undefined) return returned;
      const { answer, isAnswered, pipe } = this.rare;
      if (!isAnswered) pipe?.end(undefined);
      if (answer === undefined) return returned;
      closeItems(returned, failed);
      if ('error' in answer) throw answer.error;
      return answer.value;
    }
    const state = this.#state();
    const result = this.result();
    returned.then(
      (value) => {
        if (!state.isAnswered && state.pipe === undefined) return state.settle!.resolve(value);
        closeItems(value, failed);
        if (!state.isAnswered) state.pipe!.end(undefined);
      },
      (error) => {
        if (state.isAnswered) failed(error);
        else if (state.pipe !== undefined) state.pipe.end({ error });
        else state.settle!.reject(error);
      },
    );
    return result;
  }

  /** Returns a promise of the answer. */
  result(): Promise<unknown> {
    const state = this.#state();
    return new Promise((resolve, reject) => {
      state.settle = { resolve, reject };
      if (state.answer !== undefined) this.#settle(state.answer);
    });
  }

  /** Remembers the handler's items, in case an interceptor does not pass them on. */
  keep(result: unknown, failed: (error: unknown) => void): unknown {
    if (isThenable(result)) return result.then((items) => this.keep(items, failed));
    const state = this.#state();
    if (state.items === DROPPED) closeItems(result, failed);
    else state.items = result;
    return result;
  }

  /** Closes the handler's items, also those that it returns from now on. */
  drop(failed: (error: unknown) => void): void {
    const state = this.#state();
    closeItems(state.items, failed);
    state.items = DROPPED;
  }

  #state(): RareState {
    this.rare ??= {
      metadata: undefined,
      upload: undefined,
      isAnswered: false,
      isAbandoned: false,
      answer: undefined,
      pipe: undefined,
      items: undefined,
      settle: undefined,
    };
    return this.rare;
  }

  /** Ends a one-way whose reader is done with it. */
  done(): void {
    this.#settle({ value: undefined });
  }

  /**
   * Ends the call because its caller is gone. Interceptors see the error; any answer that the
   * reader gives from now on counts as late.
   */
  abandon(error: unknown): void {
    this.#state().isAbandoned = true;
    this.leave(error);
  }

  /** Ends the call because no reader will answer it. */
  leave(error: unknown): void {
    const gone = error ?? new TransportError('cancelled', 'the caller was gone');
    const { pipe } = this.#state();
    if (pipe !== undefined) pipe.end({ error: gone });
    else this.#settle({ error: gone });
  }

  /** Returns the form that Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): object {
    const { protocol, method, kind, from, request, metadata, deadline } = this;
    return { protocol, method, kind, from: from.endpoint, request, metadata, deadline };
  }
}

/** Stands for items that nobody wants. */
const DROPPED: unique symbol = Symbol('dropped');

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}

// The items that a handler writes, as an iterable that interceptors can wrap. It holds only items
// whose `write` is pending.

interface PendingItem {
  readonly item: unknown;
  taken(): void;
  refused(error: unknown): void;
}

interface PendingRead {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** Items on their way from a handler to the connection. */
export class ItemPipe implements AsyncIterableIterator<unknown> {
  readonly #items: PendingItem[] = [];
  readonly #reads: PendingRead[] = [];
  /** Set once the handler has ended the stream, or has failed. */
  #end: { readonly error?: unknown } | undefined = undefined;
  #isLeft = false;

  /** Resolves when the item has been taken; rejects if the reader has left. */
  write(item: unknown): Promise<void> {
    if (this.#isLeft) return handled(Promise.reject(left()));
    const read = this.#reads.shift();
    if (read !== undefined) {
      read.resolve({ value: item, done: false });
      return Promise.resolve();
    }
    return handled(new Promise((taken, refused) => this.#items.push({ item, taken, refused })));
  }

  /** Ends the stream after the items that were written, with an error if one is given. */
  end(failure: { readonly error: unknown } | undefined): void {
    this.#end ??= failure ?? {};
    if (this.#items.length > 0) return;
    for (const read of this.#reads.splice(0)) this.#finish(read);
  }

  #finish({ resolve, reject }: PendingRead): void {
    const end = this.#end!;
    this.#end = {};
    if ('error' in end) reject(end.error);
    else resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const first = this.#items.shift();
    if (first !== undefined) {
      first.taken();
      return Promise.resolve({ value: first.item, done: false });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#reads.push({ resolve, reject });
      else this.#finish({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#isLeft = true;
    for (const { refused } of this.#items.splice(0)) refused(left());
    this.end(undefined);
    return Promise.resolve({ value: undefined, done: true });
  }
}

function left(): TransportError {
  return new TransportError('cancelled', 'the reader of the stream has left');
}
