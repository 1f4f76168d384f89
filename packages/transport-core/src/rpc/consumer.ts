// Incoming calls as an async iterator, for `consumer()` of a transport. It takes a call only when
// its user requests the next one. Requesting another call means that the user is done with the
// oldest one-way; only then does the sender of that one-way get its credit back.

import type { ReaderContext } from '../context.ts';
import type { ServerInterceptor } from '../interceptors.ts';
import { type InCall, READER } from '../session/in-call.ts';
import type { Inbox } from './inbox.ts';
import { type InterceptedRpc, intercepted } from './intercepted-rpc.ts';
import { abandon, type IncomingRpc } from './rpc.ts';
import { type AnyHandler, Serving } from './serving.ts';
import type { Taker } from './taker.ts';

/** An async iterator over the calls of one inbox, to which it is a `Taker`. */
export class Consumer implements Taker, AsyncIterableIterator<IncomingRpc> {
  readonly exclusive = false;
  feeding = false;
  readonly methods: ReadonlySet<string> | undefined;
  readonly #inbox: Inbox;
  #over = false;
  /** One-ways that were taken and still hold their credit, the oldest first. */
  readonly #read: InCall[] = [];
  /** The calls of `next` that have no result yet, the oldest first. */
  readonly #waiting: ((result: IteratorResult<IncomingRpc, undefined>) => void)[] = [];

  /** @param methods the methods to read; undefined: all methods that no other reader takes. */
  constructor(inbox: Inbox, methods: ReadonlySet<string> | undefined) {
    this.#inbox = inbox;
    this.methods = methods;
    if (inbox.closed) this.#over = true;
    else inbox.add(this);
  }

  get ready(): boolean {
    return this.#waiting.length > 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<IncomingRpc, undefined>> {
    if (this.#over) return Promise.resolve(DONE);
    // This only queues the credit, so it cannot end this iterator.
    if (this.#read.length > 0) this.#inbox.release(this.#read.shift()!);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#inbox.feed(this);
    });
  }

  /** Ends the iteration. Calls that were not read stay in the inbox, for other readers. */
  return(): Promise<IteratorResult<IncomingRpc, undefined>> {
    if (!this.#over) this.#inbox.drop(this);
    this.close();
    return Promise.resolve(DONE);
  }

  take(rpc: IncomingRpc, call: InCall): void {
    if (call.method.kind === 'oneway') this.#read.push(call);
    // The call counts as running until it is answered; see `Running` for the meaning of READER.
    else call.carrier.started(call, READER);
    this.#waiting.shift()!({ value: rpc, done: false });
  }

  close(): void {
    this.#over = true;
    for (const call of this.#read.splice(0)) this.#inbox.release(call);
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

// A consumer whose calls pass interceptors first. Each call is handled by a serving, whose handler
// gives the call to the reader and waits for the reader's answer.

/** An async iterator over the intercepted calls of one inbox. */
export class InterceptedConsumer implements Taker, AsyncIterableIterator<InterceptedRpc> {
  readonly exclusive = false;
  feeding = false;
  readonly methods: ReadonlySet<string> | undefined;
  readonly context: ReaderContext | undefined;
  readonly #inbox: Inbox;
  readonly #serving: Serving;
  #over = false;
  /** The number of calls that the interceptors have not passed on yet. */
  #held = 0;
  /** Calls that the interceptors passed on when no reader was waiting anymore. */
  readonly #passed: InterceptedRpc[] = [];
  /** Calls whose caller was gone before their reader answered. */
  readonly #abandoned = new WeakSet<IncomingRpc>();
  /** One-ways that were read and still hold their credit, the oldest first. */
  readonly #read: InterceptedRpc[] = [];
  readonly #waiting: ((result: IteratorResult<InterceptedRpc, undefined>) => void)[] = [];

  constructor(
    inbox: Inbox,
    methods: ReadonlySet<string> | undefined,
    interceptors: readonly ServerInterceptor[],
  ) {
    this.#inbox = inbox;
    this.methods = methods;
    this.context = inbox.contexts?.reader();
    const failed = inbox.handlerFailed;
    const held = new WeakSet<IncomingRpc>();
    const give = intercepted(inbox, interceptors, (_, call) => {
      held.delete(call.incoming);
      return this.#give(call);
    });
    const handler: AnyHandler = async (request, rpc) => {
      held.add(rpc);
      try {
        return await give(request, rpc);
      } catch (error) {
        if (!this.#abandoned.has(rpc)) throw error;
        abandon(rpc);
        return undefined;
      } finally {
        // An interceptor may have answered by itself.
        if (held.delete(rpc)) this.#release();
      }
    };
    const handlers = new Map([...inbox.table.byName.keys()].map((name) => [name, handler]));
    const concurrency = Number.POSITIVE_INFINITY;
    const options = { concurrency, failed, reads: false };
    this.#serving = new Serving(inbox, handlers, options);
    if (inbox.closed) this.#over = true;
    else inbox.add(this);
  }

  get ready(): boolean {
    return this.#waiting.length > this.#held;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<InterceptedRpc, undefined>> {
    if (this.#over) return Promise.resolve(DONE);
    this.#read.shift()?.done();
    const passed = this.#passed.shift();
    if (passed !== undefined) return Promise.resolve({ value: this.#hand(passed), done: false });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#inbox.feed(this);
    });
  }

  return(): Promise<IteratorResult<InterceptedRpc, undefined>> {
    if (!this.#over) this.#inbox.drop(this);
    this.close();
    return Promise.resolve(DONE);
  }

  take(rpc: IncomingRpc, call: InCall): void {
    this.#held++;
    this.#serving.take(rpc, call);
  }

  /** Gives a call to the reader. Returns a promise of its answer. */
  #give(call: InterceptedRpc): Promise<unknown> {
    this.#held--;
    const result = call.result();
    const { signal } = call;
    const onAbort = () => {
      this.#abandoned.add(call.incoming);
      call.abandon(signal.reason);
    };
    if (call.kind !== 'oneway') signal.addEventListener('abort', onAbort, { once: true });
    const reader = this.#waiting.shift();
    if (reader !== undefined) reader({ value: this.#hand(call), done: false });
    else if (this.#over) call.leave(undefined);
    else this.#passed.push(call);
    return result;
  }

  #hand(call: InterceptedRpc): InterceptedRpc {
    if (call.kind === 'oneway') this.#read.push(call);
    return call;
  }

  #release(): void {
    this.#held--;
    this.#inbox.feed(this);
  }

  close(): void {
    this.#over = true;
    for (const call of this.#read.splice(0)) call.done();
    for (const call of this.#passed.splice(0)) call.leave(undefined);
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }
}
