// Incoming calls as an async iterator, for `consumer()` of a transport. It takes a call only when
// its user requests the next one. Requesting another call means that the user is done with the
// oldest one-way; only then does the sender of that one-way get its credit back.

import { type InCall, READER } from '../session/in-call.ts';
import type { Inbox } from './inbox.ts';
import type { IncomingRpc } from './rpc.ts';
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
