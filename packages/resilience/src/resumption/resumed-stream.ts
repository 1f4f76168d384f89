// The stream of `resume`, which reads successive calls as one iterator. It owns the token, the
// count of items, the attempts, and the signal that cancels them.

import {
  type Clock,
  type ClockTimer,
  type Random,
  TransportError,
} from '@trunkline/transport-core';
import { inMs, randomBytes } from '@trunkline/transport-core/backend';
import { BackOff } from './back-off.ts';
import { leave } from './download.ts';
import { failure, isKept, isTransient } from './failures.ts';
import type { ResumeConfig } from './resume-options.ts';
import { writeRequest } from './wire.ts';

/** The parts of a call that a stream uses. */
export interface ResumedCall {
  readonly clock: Clock;
  readonly random: Random;
  /** The protocol and method, for errors: 'log/follow'. */
  readonly name: string;
  readonly target: string;
}

/** The options of one attempt. */
export interface AttemptOptions {
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeout?: number | undefined;
}

/** Makes one attempt: a call to the method. */
export type Attempt<Item> = (options: AttemptOptions) => Promise<AsyncIterable<Item>>;

/** The items of all attempts. */
export class ResumedStream<Item> implements AsyncIterableIterator<Item> {
  readonly #call: ResumedCall;
  readonly #attempt: Attempt<Item>;
  readonly #config: ResumeConfig;
  readonly #token: string;
  readonly #backOff: BackOff;
  /** Ends the current attempt or pause. */
  readonly #controller = new AbortController();
  readonly #onAbort = () => this.#cancel();
  /** The number of items that were read so far. */
  #offset = 0;
  /**
   * True while a server may have seen the call that opens the stream. Attempts then only continue
   * the stream. `#pause` resets it if the server refused that call before a handler saw it.
   */
  #isOpened = false;
  /** True while the call that opens the stream waits for its first item. */
  #isOpening = false;
  /** True once the server has confirmed that it keeps the stream. */
  #isKept = false;
  #items: AsyncIterator<Item> | undefined;
  #openedAt = 0;
  #timer: ClockTimer | undefined;
  /** The error with which the stream was ended from outside, if it was. */
  #cancelled: TransportError | undefined;
  #over = false;
  /** The result that was requested last. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(call: ResumedCall, attempt: Attempt<Item>, config: ResumeConfig) {
    this.#call = call;
    this.#attempt = attempt;
    this.#config = config;
    this.#token = hex(randomBytes(call.random, 16));
    this.#backOff = new BackOff(config, call.random);
    const { signal, timeout } = config;
    if (signal?.aborted === true) this.#cancel();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeout !== Number.POSITIVE_INFINITY)
      this.#timer = call.clock.setTimeout(() => this.#expire(), timeout);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Makes the first attempts, until one has sent the request. */
  async open(): Promise<void> {
    await this.#connect();
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const result = this.#tail.then(() => this.#read());
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Cancels the call, and ends the stream. Ignores errors of the iterators of interceptors. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.#finish();
    leave(this.#items);
    this.#controller.abort(new TransportError('cancelled', 'the reader left the stream'));
    return Promise.resolve(DONE);
  }

  async #read(): Promise<IteratorResult<Item, undefined>> {
    while (!this.#over) {
      if (this.#items === undefined) await this.#connect();
      try {
        const result = await this.#items?.next();
        if (this.#over || result === undefined) break;
        if (result.done === true) this.#finish();
        else {
          this.#isOpening = false;
          this.#offset++;
          this.#backOff.reset();
          return result;
        }
      } catch (error) {
        this.#items = undefined;
        const { clock } = this.#call;
        if (clock.now() - this.#openedAt > this.#config.maxBackoff) this.#backOff.reset();
        await this.#pause(error);
      }
    }
    return DONE;
  }

  /** Makes attempts until one has sent its request. */
  async #connect(): Promise<void> {
    while (!this.#over && this.#items === undefined) {
      try {
        if (this.#cancelled !== undefined) throw this.#cancelled;
        if (this.#isOpened && !this.#isKept) await this.#check();
        else {
          const items = await this.#send(false);
          this.#isOpening = !this.#isOpened;
          this.#isOpened = true;
          this.#openedAt = this.#call.clock.now();
          this.#items = items[Symbol.asyncIterator]();
        }
      } catch (error) {
        await this.#pause(error);
      }
    }
  }

  /**
   * Asks the server whether it keeps the stream, until it has confirmed that once. A handler that
   * is not `resumable` would start from the beginning, and its first items would be duplicates.
   */
  async #check(): Promise<void> {
    try {
      const items = (await this.#send(true))[Symbol.asyncIterator]();
      await items.next();
      leave(items);
    } catch (error) {
      if (isKept(error)) {
        this.#isKept = true;
        return;
      }
      throw isLate(error) ? this.#unanswered(error) : error;
    }
    const { name, target } = this.#call;
    throw failure(
      'unsupported',
      `${name} of ${target} lost its connection and cannot be continued: wrap its handler with 'resumable'`,
      true,
    );
  }

  #send(isCheck: boolean): Promise<AsyncIterable<Item>> {
    const offset = this.#isOpened ? this.#offset : undefined;
    const { signal } = this.#controller;
    return this.#attempt({
      metadata: writeRequest({ token: this.#token, offset, isCheck }, this.#config.metadata),
      signal,
      ...(isCheck ? { timeout: CHECK_TIMEOUT } : {}),
    });
  }

  /** Waits before the next attempt. Throws the error of the stream if there is no further one. */
  async #pause(error: unknown): Promise<void> {
    if (this.#over) return;
    if (this.#cancelled !== undefined) throw this.#end(this.#cancelled);
    if (!isTransient(error)) throw this.#end(error);
    // A server may refuse the call that opens the stream after its request was sent.
    if ((error as TransportError).sent !== false) this.#isOpened = true;
    else if (this.#isOpening) this.#isOpened = false;
    this.#isOpening = false;
    const delay = this.#backOff.next();
    if (delay === undefined) throw this.#end(this.#gaveUp(error as TransportError));
    try {
      await this.#call.clock.sleep(delay, this.#controller.signal);
    } catch {
      if (this.#cancelled !== undefined) throw this.#end(this.#cancelled);
    }
  }

  #unanswered(cause: unknown): TransportError {
    const { name, target } = this.#call;
    return new TransportError(
      'unavailable',
      `${target} has not said within ${CHECK_TIMEOUT} ms whether it keeps the stream of ${name}; is its handler wrapped with 'resumable'?`,
      { target, sent: true, cause },
    );
  }

  #gaveUp(error: TransportError): TransportError {
    const { name, target } = this.#call;
    const { attempts } = this.#config;
    return new TransportError(
      error.code,
      `${name} to ${target}: ${attempts} attempts in a row failed after ${this.#offset} items: ${error.message}`,
      { reason: error.reason, target, sent: this.#isOpened, cause: error },
    );
  }

  #cancel(): void {
    const { name, target } = this.#call;
    const cause: unknown = this.#config.signal?.reason;
    this.#abort(
      new TransportError('cancelled', `${name} to ${target} was cancelled`, { target, cause }),
    );
  }

  #expire(): void {
    const { name, target } = this.#call;
    const { timeout } = this.#config;
    this.#abort(
      new TransportError(
        'deadline_exceeded',
        `${name} to ${target}: the stream did not end within ${inMs(timeout)}; ${this.#offset} items were read`,
        { target },
      ),
    );
  }

  #abort(error: TransportError): void {
    this.#cancelled ??= new TransportError(error.code, error.message, {
      target: error.target,
      cause: error.cause,
      sent: this.#isOpened,
    });
    this.#controller.abort(this.#cancelled);
  }

  #end(error: unknown): unknown {
    this.#finish();
    return error;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.clock.clearTimeout(this.#timer);
    this.#config.signal?.removeEventListener('abort', this.#onAbort);
  }
}

function isLate(error: unknown): boolean {
  return error instanceof TransportError && error.code === 'deadline_exceeded';
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Time within which a server must confirm that it keeps a stream, in milliseconds. A handler that
 * is not `resumable` may never answer.
 */
const CHECK_TIMEOUT = 10_000;
const DONE: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });
