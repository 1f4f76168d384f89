// One reader of a topic: its queue, its policy, and how far it lags.

import { type Clock, type Codec, type Timer, TransportError } from '@trunkline/transport-core';
import type { MessageMeta, QueuePolicy, Received } from '../types.ts';
import { Waiting, withMissed } from './waiting.ts';

export interface ReaderOptions {
  readonly size: number;
  readonly bytes: number;
  readonly policy: QueuePolicy;
}

export interface ReaderHost {
  readonly topic: string;
  /** That of the handle which made the reader. */
  readonly codec: Codec<unknown, any>;
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
  /** It has missed so many in all. */
  lagged(missed: number): void;
  /** It threw. */
  failed(error: unknown): void;
  /** It ended. */
  gone(reader: Reader): void;
}

/**
 * Messages that wait, and what takes them: a callback or a loop. One read of a socket can bring more messages than the queue holds, before any code
 * of the reader runs. So a queue that is too long is cut only when the reader has had its turn: a timer of 0 ms rings after it.
 */
export abstract class Reader {
  readonly #options: ReaderOptions;
  readonly #host: ReaderHost;
  readonly #waiting = new Waiting();
  /** What may wait once the reader has had its turn. */
  readonly #most: { readonly messages: number; readonly bytes: number };
  #cut: Timer | undefined = undefined;
  #missedInAll = 0;
  #isOver = false;

  constructor(options: ReaderOptions, host: ReaderHost) {
    this.#options = options;
    this.#host = host;
    const { size, bytes, policy } = options;
    const isBlocking = policy === 'block';
    this.#most = { messages: isBlocking ? Math.max(BLOCKED * size, BLOCKED_LEAST) : size, bytes: isBlocking ? BLOCKED_BYTES * bytes : bytes };
  }

  /** Decodes what this reader gets. */
  get codec(): Codec<unknown, any> {
    return this.#host.codec;
  }

  get state(): { readonly waiting: number; readonly bytes: number; readonly missed: number } {
    return { waiting: this.#waiting.length, bytes: this.#waiting.bytes, missed: this.#missedInAll };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A message for it, of which it has missed nothing yet. Never waits, and never throws. @param size bytes of the message as it came. */
  offer(message: unknown, meta: MessageMeta, size: number): void {
    if (this.#isOver) return;
    const waiting = this.#waiting;
    // Most find their reader idle, and need no place in its queue.
    if (waiting.length === 0 && this.takeNow(message, meta, waiting)) return;
    waiting.push(message, meta, size);
    if (this.#isTooLong(0, 0)) {
      this.#cut ??= this.#host.clock.setTimeout(this.#hadItsTurn, 0);
      if (this.#isTooLong(TURN_MESSAGES, TURN_BYTES)) this.#shorten(TURN_MESSAGES, TURN_BYTES);
    }
    this.ready();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.clock.clearTimeout(this.#cut);
    this.#waiting.clear();
    this.#host.gone(this);
    this.ended();
  }

  /** The next message, if there is one. */
  protected take(): Received<unknown> | undefined {
    return this.#waiting.take();
  }

  readonly #hadItsTurn = (): void => {
    this.#cut = undefined;
    if (this.#isTooLong(0, 0)) this.#shorten(0, 0);
  };

  /** One message may always wait. */
  #isTooLong(messages: number, bytes: number): boolean {
    const { length } = this.#waiting;
    return length > this.#most.messages + messages || (this.#waiting.bytes > this.#most.bytes + bytes && length > 1);
  }

  #shorten(messages: number, bytes: number): void {
    const { policy } = this.#options;
    if (policy === 'error') {
      const text = `a reader of topic ${this.#host.topic} was too slow: ${this.#waiting.length} messages of ${this.#waiting.bytes} bytes wait for it (queue)`;
      this.close();
      return this.broken(new TransportError('resource_exhausted', text));
    }
    while (this.#isTooLong(messages, bytes)) {
      if (policy === 'drop-oldest') this.#waiting.dropOldest();
      else this.#waiting.dropNewest();
      this.#missedInAll++;
      if ((this.#missedInAll & (this.#missedInAll - 1)) === 0) this.#host.lagged(this.#missedInAll);
    }
  }

  protected failed(error: unknown): void {
    this.#host.failed(error);
  }

  /** Takes a message at once, if it is idle, and what was missed before it. It must not throw. */
  protected abstract takeNow(message: unknown, meta: MessageMeta, waiting: Waiting): boolean;
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

  protected override takeNow(message: unknown, meta: MessageMeta, waiting: Waiting): boolean {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    if (this.#call(message, withMissed(meta, waiting.takeMissed()))) this.#drain();
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
  readonly #askers: { readonly resolve: (result: IteratorResult<Received<unknown>, undefined>) => void; readonly reject: (error: unknown) => void }[] = [];
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
    return new Promise((resolve, reject) => this.#askers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Received<unknown>, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  protected override takeNow(message: unknown, meta: MessageMeta, waiting: Waiting): boolean {
    const asker = this.#askers.shift();
    asker?.resolve({ value: { message, meta: withMissed(meta, waiting.takeMissed()) }, done: false });
    return asker !== undefined;
  }

  protected override ready(): void {
    const asker = this.#askers.shift();
    const value = asker === undefined ? undefined : this.take();
    if (value !== undefined) asker!.resolve({ value, done: false });
  }

  protected override broken(error: TransportError): void {
    this.#error = error;
  }

  protected override ended(): void {
    for (const { resolve } of this.#askers.splice(0)) resolve(DONE);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Times its size, and times its bytes, that may wait for a reader that blocks. */
const BLOCKED = 16;
const BLOCKED_BYTES = 4;
/** Messages, at least. */
const BLOCKED_LEAST = 4_096;
/** What may wait beyond that until the reader has had its turn: many times what one read of a socket brings. */
const TURN_MESSAGES = 16_384;
const TURN_BYTES = 16 * 1024 * 1024;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
