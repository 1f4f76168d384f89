// One call and its attempts: after each failure, the call decides whether and when to make another
// attempt. It settles with the first success or the last failure.

import {
  type ClientCall,
  type Clock,
  type ClockTimer,
  type Random,
  TransportError,
} from '@trunkline/transport-core';
import type { ClientNext } from '@trunkline/transport-core/backend';
import { inMs } from '@trunkline/transport-core/backend';
import { outlookOf } from '../balancing/route.ts';
import { AttemptTimeout, isTimedOut, isUnreachable, pushbackOf } from '../failures.ts';
import { resilienceMetadata } from '../resilience-metadata.ts';
import type { KeptUpload } from './kept-upload.ts';
import type { CompletePolicy } from './retry-policy.ts';
import type { RetryThrottle } from './retry-throttle.ts';

/** The call events that are counted. */
export type Counted = 'retry' | 'hedge' | 'throttled' | 'pushback';

/** The parts of the owner that a RepeatedCall uses. */
export interface RepeatedCallHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly throttle: RetryThrottle;
  /** Counts an attempt after the first one, or the reason why no further attempt was made. */
  count(what: Counted): void;
}

/** The fields of a call as they were before its first attempt. */
export interface OriginalCall {
  readonly target: ClientCall['target'];
  readonly metadata: ClientCall['metadata'];
  readonly request: unknown;
  readonly upload: KeptUpload | undefined;
  readonly signal: AbortSignal | undefined;
}

/** An attempt that has not ended. */
interface Attempt {
  /** 1 for the first attempt of the call. */
  readonly number: number;
  readonly controller: AbortController | undefined;
  timer: ClockTimer | undefined;
  isTimedOut: boolean;
}

/** A call that may need more than one attempt. */
export class RepeatedCall {
  readonly #host: RepeatedCallHost;
  readonly #next: ClientNext;
  readonly #call: ClientCall;
  readonly #original: OriginalCall;
  readonly #policy: CompletePolicy;
  readonly #open = new Set<Attempt>();
  #made = 0;
  /** The number of back-offs since the first attempt or the last push-back. */
  #backoffs = 0;
  /** True if a handler may have seen one of the attempts. */
  #wasSent = false;
  /** False as soon as no further attempt may be made. */
  #mayRepeat = true;
  #isSettled = true;
  #timer: ClockTimer | undefined = undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(
    host: RepeatedCallHost,
    next: ClientNext,
    call: ClientCall,
    original: OriginalCall,
    policy: CompletePolicy,
  ) {
    this.#host = host;
    this.#next = next;
    this.#call = call;
    this.#original = original;
    this.#policy = policy;
  }

  /** Makes the first attempt. Resolves to the result of the call. */
  start(): Promise<unknown> {
    return this.#run(() => this.#attempt());
  }

  /**
   * Takes over after the first attempt, which was made without this object, has failed, or after
   * the items of an attempt have failed before the first one. Resolves to the result of another
   * attempt.
   */
  failed(error: unknown): Promise<unknown> {
    this.#made ||= 1;
    return this.#run(() => this.#failed(error));
  }

  #run(start: () => void): Promise<unknown> {
    this.#isSettled = false;
    this.#mayRepeat = true;
    const promise = new Promise<unknown>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#original.signal?.addEventListener('abort', this.#canceled, { once: true });
    start();
    return promise;
  }

  /** Ends the wait for another attempt, because the reader of the items has left. */
  leave(): void {
    if (!this.#isSettled && this.#open.size === 0)
      this.#fail(new TransportError('cancelled', 'the reader of the items has left'));
  }

  /** The target as the program names it. */
  get #target(): string {
    return nameOf(this.#original.target);
  }

  // Attempts.

  #attempt(): void {
    const call = this.#call;
    const { target, metadata, request, upload } = this.#original;
    const attempt = this.#newAttempt();
    call.target = target;
    call.request = request;
    call.upload = upload;
    call.metadata =
      this.#made === 0
        ? metadata
        : { ...metadata, [resilienceMetadata.previousAttempts]: String(this.#made) };
    call.signal = attempt.controller?.signal ?? this.#original.signal;
    this.#made++;
    this.#open.add(attempt);
    let result: Promise<unknown>;
    try {
      result = this.#next(call);
    } catch (error) {
      result = Promise.reject(error);
    }
    result.then(
      (value) => this.#succeeded(attempt, value),
      (error) => this.#attemptFailed(attempt, error),
    );
    this.#scheduleHedge(this.#policy.hedgeDelay);
  }

  #newAttempt(): Attempt {
    const { attemptTimeout, hedgeDelay } = this.#policy;
    const isUnary = this.#call.kind === 'unary';
    const isCancelable = isUnary && (attemptTimeout !== undefined || hedgeDelay !== undefined);
    const { signal } = this.#original;
    const attempt: Attempt = {
      number: this.#made + 1,
      controller: isCancelable ? new AbortController() : undefined,
      timer: undefined,
      isTimedOut: false,
    };
    if (signal?.aborted === true) attempt.controller?.abort(signal.reason);
    if (isUnary && attemptTimeout !== undefined) {
      attempt.timer = this.#host.clock.setTimeout(() => {
        attempt.isTimedOut = true;
        attempt.controller!.abort(
          new AttemptTimeout(`the attempt took longer than ${inMs(attemptTimeout)}`),
        );
      }, attemptTimeout);
    }
    return attempt;
  }

  /** Sends the call once more after a delay, if no answer has arrived. */
  #scheduleHedge(delay: number | undefined): void {
    if (delay === undefined || this.#call.kind !== 'unary') return;
    if (!this.#mayRepeat || this.#made >= this.#policy.attempts || this.#isSettled) return;
    this.#schedule(delay, () => {
      if (!this.#host.throttle.hasTokens(this.#target)) {
        this.#mayRepeat = false;
        return this.#host.count('throttled');
      }
      this.#host.throttle.take(this.#target);
      this.#host.count('hedge');
      this.#attempt();
    });
  }

  #schedule(delay: number, run: () => void): void {
    this.#unschedule();
    this.#timer = this.#host.clock.setTimeout(() => {
      this.#timer = undefined;
      run();
    }, delay);
  }

  #unschedule(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  // Results.

  #succeeded(attempt: Attempt, value: unknown): void {
    this.#end(attempt);
    if (this.#isSettled) return;
    // Items may still be refused; their first one tells.
    if (!isOfItems(this.#call)) this.#host.throttle.succeeded(this.#target);
    this.#settle();
    this.#resolve(value);
  }

  #attemptFailed(attempt: Attempt, error: unknown): void {
    this.#end(attempt);
    if (this.#isSettled) return;
    this.#failed(attempt.isTimedOut && isCancelled(error) ? this.#timedOut(attempt, error) : error);
  }

  #failed(error: unknown): void {
    const { throttle } = this.#host;
    if (!(error instanceof TransportError) || error.sent !== false) this.#wasSent = true;
    const isFree = this.#isFree(error);
    const pushback = pushbackOf(error);
    const isRetryable = isFree || this.#isRetryable(error);
    if (!isFree && (isRetryable || (pushback !== undefined && pushback < 0)))
      throttle.take(this.#target);
    if (!isRetryable) return this.#fail(error);
    if (pushback !== undefined && pushback < 0) {
      this.#host.count('pushback');
      this.#mayRepeat = false;
    }
    if (this.#mayRepeat && !this.#repeats(error, isFree, pushback)) this.#mayRepeat = false;
    if (this.#mayRepeat) return;
    this.#unschedule();
    if (this.#open.size === 0) this.#fail(error);
  }

  /**
   * Schedules or makes the next attempt. Returns false if no further attempt is allowed. `attempts`
   * does not bound attempts at other addresses: it relies on the balancer to say 'other' only while
   * one is untried.
   */
  #repeats(error: unknown, isFree: boolean, pushback: number | undefined): boolean {
    const { attempts } = this.#policy;
    const hasOther = isFree && outlookOf(this.#call, error) === 'other';
    if (this.#made >= attempts && (!hasOther || attempts === 1)) return false;
    const delay = hasOther && pushback === undefined ? 0 : this.#delay(error, isFree, pushback);
    const { deadline } = this.#call;
    const now = this.#host.clock.now();
    // A wait beyond the deadline would end with `deadline_exceeded`, which is less informative than
    // this error.
    if (deadline !== undefined && now + delay >= deadline) return false;
    if (!isFree && !this.#isAllowed(error, now)) {
      this.#host.count('throttled');
      if (attempts !== Number.POSITIVE_INFINITY) return false;
      this.#schedule(Math.max(delay, this.#policy.initialBackoff), () => {
        this.#mayRepeat = this.#repeats(error, isFree, undefined);
        if (!this.#mayRepeat && this.#open.size === 0) this.#fail(error);
      });
      return true;
    }
    const repeat = () => {
      this.#host.count('retry');
      this.#attempt();
    };
    if (delay === 0) {
      this.#unschedule();
      repeat();
    } else this.#schedule(delay, repeat);
    return true;
  }

  /**
   * Returns true if the throttle allows another attempt. After a sign of overload, a retry needs
   * tokens, because the retries of many clients could keep a server overloaded.
   */
  #isAllowed(error: unknown, now: number): boolean {
    const { throttle } = this.#host;
    if (throttle.hasTokens(this.#target)) return true;
    return !isOverload(error) && !isTimedOut(error) && throttle.isFree(this.#target, now);
  }

  /** Returns the number of milliseconds until the next attempt. */
  #delay(error: unknown, isFree: boolean, pushback: number | undefined): number {
    if (pushback !== undefined) {
      this.#backoffs = 0;
      return pushback;
    }
    // A call that reached no server is repeated immediately, but only the first time.
    if (isFree && this.#made === 1) return 0;
    const { attempts, initialBackoff, maxBackoff, backoffFactor } = this.#policy;
    // While other attempts are pending, the next hedge replaces the failed attempt. Without a limit
    // of attempts, hedges that fail at once would follow each other without a pause.
    if (this.#open.size > 0 && !isOverload(error) && Number.isFinite(attempts)) return 0;
    let most = initialBackoff;
    for (let n = 0; n < this.#backoffs && most < maxBackoff; n++) most *= backoffFactor;
    this.#backoffs++;
    return Math.min(most, maxBackoff) * this.#host.random();
  }

  /**
   * Returns true if the call reached no server and another attempt may reach one. Such a retry
   * needs no policy and no tokens.
   */
  #isFree(error: unknown): boolean {
    if (!isUnreachable(error) || !this.#isRepeatable()) return false;
    // A Remote can be reached only over its own connection.
    if (typeof this.#original.target !== 'string') return error.reason !== 'disconnected';
    return outlookOf(this.#call, error) !== 'nowhere';
  }

  #isRetryable(error: unknown): boolean {
    if (!(error instanceof TransportError) || !this.#isRepeatable()) return false;
    if (error.sent === false && error.code === 'resource_exhausted')
      return error.reason !== 'too_large';
    if (!this.#policy.idempotent) return false;
    return this.#policy.codes.has(error.code) || error.cause instanceof AttemptTimeout;
  }

  /** Returns true if the request can be sent again, with all items of its upload. */
  #isRepeatable(): boolean {
    return this.#original.upload?.isComplete !== false;
  }

  #timedOut({ number }: Attempt, error: TransportError): TransportError {
    const { protocol, method } = this.#call;
    const { attemptTimeout } = this.#policy;
    const message = `${protocol}/${method}: attempt ${number} took longer than ${inMs(attemptTimeout!)} (attemptTimeout)`;
    return new TransportError('deadline_exceeded', message, {
      sent: error.sent,
      target: error.target,
      cause: error.cause,
    });
  }

  // The end.

  readonly #canceled = () => {
    const reason = this.#original.signal?.reason;
    // Attempts without their own controller use the caller's signal directly, and fail because of
    // it.
    for (const { controller } of this.#open) controller?.abort(reason);
    if (this.#open.size > 0 || this.#isSettled) return;
    const { protocol, method } = this.#call;
    this.#fail(
      new TransportError(
        'cancelled',
        `${protocol}/${method}: its signal was aborted before attempt ${this.#made + 1}`,
        { cause: reason, sent: this.#wasSent, target: nameOf(this.#original.target) },
      ),
    );
  };

  #fail(error: unknown): void {
    if (this.#open.size > 0) this.#wasSent = true;
    this.#settle();
    this.#reject(this.#final(error));
  }

  /** Returns the error for the caller, whose `sent` covers all attempts. */
  #final(error: unknown): unknown {
    if (!(error instanceof TransportError) || this.#made <= 1 || error.sent === this.#wasSent)
      return error;
    const { code, message, reason, target, origin, metadata, cause } = error;
    return new TransportError(code, `${message}; an earlier attempt may have been handled`, {
      reason,
      target,
      origin,
      metadata: metadata && { ...metadata },
      cause,
      sent: this.#wasSent,
    });
  }

  /** Ends everything except the promise: all other attempts are canceled. */
  #settle(): void {
    this.#isSettled = true;
    this.#mayRepeat = false;
    this.#unschedule();
    this.#original.signal?.removeEventListener('abort', this.#canceled);
    for (const attempt of [...this.#open]) {
      this.#end(attempt);
      attempt.controller?.abort(new Error('another attempt of the call has settled it'));
    }
  }

  #end(attempt: Attempt): void {
    this.#open.delete(attempt);
    if (attempt.timer !== undefined) this.#host.clock.clearTimeout(attempt.timer);
    attempt.timer = undefined;
  }
}

/** Returns true if a call resolves to items. */
export function isOfItems({ kind }: ClientCall): boolean {
  return kind === 'download' || kind === 'duplex';
}

function isCancelled(error: unknown): error is TransportError {
  return error instanceof TransportError && error.code === 'cancelled';
}

function isOverload(error: unknown): boolean {
  return error instanceof TransportError && error.code === 'resource_exhausted';
}

export function nameOf(target: ClientCall['target']): string {
  return typeof target === 'string' ? target : target.endpoint;
}
