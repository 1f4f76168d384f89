// Incoming calls as an async iterator, for `consumer()` of a transport. It takes a call only when
// its user requests the next one. Requesting another call means that the user is done with the
// oldest one-way, and leaving with all of them; only then do their senders get the credit back.
// inbox.test.ts tests this file, and transport-inmem/src/interceptors.test.ts with interceptors.

import type { ReaderContext } from '../context.ts';
import { type InCall, READER } from '../session/incoming-calls.ts';
import { DONE } from '../steps.ts';
import type { Inbox, Taker } from './inbox.ts';
import { type InterceptedRpc, intercepted } from './interceptors.ts';
import { type AnyHandler, callOf, IncomingRpc, Serving } from './rpc.ts';

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
  readonly #read: { giveBack(): void }[] = [];
  /** The calls of `next` that have no result yet, the oldest first. */
  readonly #waiting: ((result: IteratorResult<ReadRpc, undefined>) => void)[] = [];
  /** Calls that the interceptors have not passed on yet. */
  readonly #held = new Set<InCall>();
  /** Calls that the interceptors passed on when no reader was waiting. */
  readonly #passed: InterceptedRpc[] = [];

  /** @param methods the methods to read; undefined: all methods that no other reader names. */
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
    // Calls `handlerEnded` of an observer, which may end this iterator.
    this.#read.shift()?.giveBack();
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      const passed = this.#passed.shift();
      if (passed === undefined) this.#inbox.feed(this);
      else this.#give(passed);
    });
  }

  /**
   * Ends the iteration. `Inbox.drop` decides what becomes of the calls that were not taken. Those
   * that interceptors hold fail with `cancelled` when they reach this reader. Those that they have
   * passed on and that nobody has read fail now.
   */
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
    for (const call of this.#read.splice(0)) call.giveBack();
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
