// One reader of a topic: its queue, its policy, and how far it lags.

import { TransportError } from '@trunkline/transport-core';
import type { MessageMeta, QueuePolicy, Received } from '../types.ts';

export interface ReaderOptions {
  readonly size: number;
  readonly policy: QueuePolicy;
}

export interface ReaderHost {
  readonly topic: string;
  /** It has missed so many in all. */
  lagged(missed: number): void;
  /** It threw. */
  failed(error: unknown): void;
  /** It ended. */
  gone(reader: Reader): void;
}

/** Messages that wait, and what takes them: a callback or a loop. */
export abstract class Reader {
  readonly #options: ReaderOptions;
  readonly #host: ReaderHost;
  readonly #queue: { readonly message: unknown; readonly meta: MessageMeta; missed: number }[] = [];
  /** Missed behind the last that waits. */
  #missed = 0;
  #missedInAll = 0;
  #isOver = false;

  constructor(options: ReaderOptions, host: ReaderHost) {
    this.#options = options;
    this.#host = host;
  }

  get state(): { readonly waiting: number; readonly missed: number } {
    return { waiting: this.#queue.length, missed: this.#missedInAll };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A message for it, of which it has missed nothing yet. Never waits, and never throws. */
  offer(message: unknown, meta: MessageMeta): void {
    if (this.#isOver) return;
    // Most find their reader idle, and need no place in its queue.
    if (this.#queue.length === 0 && this.takeNow(message, meta, this.#missed)) {
      this.#missed = 0;
      return;
    }
    const { size, policy } = this.#options;
    if (this.#queue.length < (policy === 'block' ? Math.max(BLOCKED * size, BLOCKED_LEAST) : size)) {
      this.#enqueue(message, meta);
      return this.ready();
    }
    if (policy === 'error') {
      this.close();
      const text = `a reader of topic ${this.#host.topic} was too slow: ${size} messages wait for it (queue)`;
      return this.broken(new TransportError('resource_exhausted', text));
    }
    this.#missedInAll++;
    if (policy === 'drop-oldest') {
      const gone = this.#queue.shift();
      const missed = 1 + (gone?.missed ?? 0);
      const [next] = this.#queue;
      if (next === undefined) this.#missed += missed;
      else next.missed += missed;
      this.#enqueue(message, meta);
    } else {
      this.#missed++;
    }
    if ((this.#missedInAll & (this.#missedInAll - 1)) === 0) this.#host.lagged(this.#missedInAll);
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue.length = 0;
    this.#host.gone(this);
    this.ended();
  }

  /** The next message, if there is one. */
  protected take(): Received<unknown> | undefined {
    const next = this.#queue.shift();
    if (next === undefined) return undefined;
    return { message: next.message, meta: withMissed(next.meta, next.missed) };
  }

  #enqueue(message: unknown, meta: MessageMeta): void {
    this.#queue.push({ message, meta, missed: this.#missed });
    this.#missed = 0;
  }

  protected failed(error: unknown): void {
    this.#host.failed(error);
  }

  /** Takes a message at once, if it is idle. It must not throw. */
  protected abstract takeNow(message: unknown, meta: MessageMeta, missed: number): boolean;
  /** There is a message to take. */
  protected abstract ready(): void;
  /** It was too slow. */
  protected abstract broken(error: TransportError): void;
  /** Nothing comes any more. */
  protected abstract ended(): void;
}

/** Calls a function with one message after the other; where it gives a promise the next waits for that. */
export class CallbackReader extends Reader {
  readonly #callback: (message: unknown, meta: MessageMeta) => unknown;
  readonly #onError: ((error: unknown) => void) | undefined;
  #isBusy = false;

  constructor(
    callback: (message: unknown, meta: MessageMeta) => unknown,
    onError: ((error: unknown) => void) | undefined,
    options: ReaderOptions,
    host: ReaderHost,
  ) {
    super(options, host);
    this.#callback = callback;
    this.#onError = onError;
  }

  protected override ready(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#drain();
  }

  protected override takeNow(message: unknown, meta: MessageMeta, missed: number): boolean {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    if (this.#call(message, withMissed(meta, missed))) this.#drain();
    return true;
  }

  #drain(): void {
    for (let next = this.take(); next !== undefined; next = this.take()) if (!this.#call(next.message, next.meta)) return;
    this.#isBusy = false;
  }

  /** False: it takes its time. */
  #call(message: unknown, meta: MessageMeta): boolean {
    try {
      const answer = this.#callback(message, meta);
      if (!isThenable(answer)) return true;
      void Promise.resolve(answer).then(this.#goOn, this.#threw);
      return false;
    } catch (error) {
      this.#tell(error);
      return true;
    }
  }

  protected override broken(error: TransportError): void {
    this.#tell(error);
  }

  protected override ended(): void {}

  readonly #goOn = (): void => {
    this.#isBusy = false;
    this.ready();
  };

  readonly #threw = (error: unknown): void => {
    this.#tell(error);
    this.#goOn();
  };

  #tell(error: unknown): void {
    this.failed(error);
    try {
      this.#onError?.(error);
    } catch {
      // Who is told of errors has none to tell of.
    }
  }
}

/** A loop's: `for await (const { message, meta } of topic)`. Leaving it closes it. */
export class LoopReader extends Reader implements AsyncIterableIterator<Received<unknown>, undefined> {
  readonly #waiting: { readonly resolve: (result: IteratorResult<Received<unknown>, undefined>) => void; readonly reject: (error: unknown) => void }[] = [];
  #error: TransportError | undefined = undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Received<unknown>, undefined>> {
    const value = this.take();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) return Promise.reject(error);
    if (this.isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Received<unknown>, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  protected override takeNow(message: unknown, meta: MessageMeta, missed: number): boolean {
    const waiting = this.#waiting.shift();
    waiting?.resolve({ value: { message, meta: withMissed(meta, missed) }, done: false });
    return waiting !== undefined;
  }

  protected override ready(): void {
    const waiting = this.#waiting.shift();
    const value = waiting === undefined ? undefined : this.take();
    if (value !== undefined) waiting!.resolve({ value, done: false });
  }

  protected override broken(error: TransportError): void {
    this.#error = error;
  }

  protected override ended(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
  }
}

/** What one that missed nothing gets is one object for all readers. Written out: a spread would cost more than all else of a delivery. */
function withMissed(meta: MessageMeta, missed: number): MessageMeta {
  if (missed === 0) return meta;
  const { id, origin, signed, from, hops } = meta;
  return { id, origin, signed, from, hops, missed };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Times its size, a reader that blocks may have waiting. */
const BLOCKED = 16;
/** Messages, at least. */
const BLOCKED_LEAST = 4_096;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
