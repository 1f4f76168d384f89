// The server interceptor that limits the number of calls being handled. Under overload it admits
// the most important ones.

import {
  type Clock,
  type ServerCall,
  type ServerInterceptor,
  TransportError,
} from '@trunkline/transport-core';
import {
  option,
  optionsSchema,
  parseOptions,
  type ServerNext,
} from '@trunkline/transport-core/backend';
import { clockField } from '../option-fields.ts';
import { resilienceMetadata } from '../resilience-metadata.ts';
import { AdmissionQueue, PRIORITIES, WAITED, type Waiter } from './admission-queue.ts';
import type { ConcurrencyLimitOptions } from './concurrency-limit.ts';
import { GradientLimit } from './gradient.ts';
import { adaptiveFields } from './limit-fields.ts';

/** Options of {@link createAdmission}; all are optional. */
export interface AdmissionOptions {
  /**
   * The limit of calls that are handled at a time. It moves between two bounds according to the
   * latency of the handlers. For a fixed limit, set `min` and `max` to the same number.
   */
  readonly limit?: Omit<ConcurrencyLimitOptions, 'clock'> | undefined;
  /**
   * The queue for calls above the limit; the defaults are those of "Fail at Scale" (Maurer, ACM
   * Queue 2015).
   */
  readonly queue?:
    | {
        /**
         * Maximum number of waiting calls. Above it, the least important one is refused. Default
         * 1,000.
         */
        readonly length?: number | undefined;
        /**
         * Time, in milliseconds, after which a call of the lowest waiting priority is refused if
         * the queue has not been empty for `interval`. It is checked when a running call ends.
         * Default 5.
         */
        readonly target?: number | undefined;
        /**
         * Maximum time, in milliseconds, that a call waits; then it is refused. Default 100.
         */
        readonly interval?: number | undefined;
      }
    | undefined;
  /**
   * Returns the priority of a call that has to wait, 0 to 9: other integers count as the nearest of
   * these, anything else as 5. An error that it throws fails the call. Default: from its metadata,
   * under `resilienceMetadata.priority`, so callers choose it themselves.
   */
  readonly priority?: ((call: ServerCall) => number) | undefined;
  /**
   * The time, in milliseconds, after which refused callers should try again, sent under
   * `resilienceMetadata.retryPushback`. Default: callers decide by themselves.
   */
  readonly pushback?: number | undefined;
  /** The clock of the transport. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** An admission control, made by {@link createAdmission}. */
export interface Admission {
  /**
   * The interceptor. Pass it as the first of the server interceptors, to the transport or to
   * `serve`.
   */
  readonly interceptor: ServerInterceptor;
  /** Returns the state of the admission control as plain data. */
  snapshot(): {
    readonly limit: number;
    /** Number of calls that are being handled. */
    readonly running: number;
    readonly waiting: number;
    readonly admitted: number;
    readonly refused: number;
  };
}

/**
 * Creates an interceptor that refuses, with `resource_exhausted`, calls that a server can't handle
 * in time, so that their callers can turn to another server. Calls above the limit wait; the most
 * important ones are admitted first. A stream counts until its handler has returned the iterable of
 * items or written the first one, but not while the items are sent. One-way messages are not
 * limited here, because their credit limits them.
 *
 * @throws TypeError that names the invalid option.
 */
export function createAdmission(options: AdmissionOptions = {}): Admission {
  return new LimitedAdmission(options);
}

class LimitedAdmission implements Admission {
  readonly interceptor: ServerInterceptor;
  readonly #options;
  readonly #limit: GradientLimit;
  readonly #queue: AdmissionQueue;
  #running = 0;
  #admitted = 0;
  #refused = 0;

  constructor(options: AdmissionOptions) {
    this.#options = parseOptions(schema, options, 'createAdmission');
    this.#limit = new GradientLimit(this.#options.limit, 'createAdmission: limit.');
    this.#queue = new AdmissionQueue(this.#options.queue);
    this.interceptor = (next) => (call) => this.#handle(next, call);
  }

  #handle(next: ServerNext, call: ServerCall): unknown {
    if (call.kind === 'oneway') return next(call);
    if (this.#running < this.#limit.limit && this.#queue.size === 0) {
      this.#running++;
      return this.#run(next, call);
    }
    return this.#untilAdmitted(call).then(() => this.#run(next, call));
  }

  /** Waits until the call is admitted; rejects if it is refused. */
  async #untilAdmitted(call: ServerCall): Promise<void> {
    const { clock, queue } = this.#options;
    const { signal } = call;
    const refusal = await new Promise<string | undefined>((resolve) => {
      const waiter: Waiter = {
        priority: priorityOf(this.#options.priority(call)),
        since: clock.now(),
        settle: (text) => {
          clock.clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          // The place is taken immediately, so that no other call takes it before this one runs.
          if (text === undefined) this.#running++;
          resolve(text);
        },
      };
      const refuse = (text: string) => {
        this.#queue.remove(waiter, clock.now());
        waiter.settle(text);
      };
      const leave = () => refuse('its caller is gone');
      // Running calls may hang, so the wait ends without them, too.
      const timer = clock.setTimeout(() => refuse(WAITED), queue.interval);
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.add(waiter, clock.now());
    });
    if (refusal === undefined) return;
    this.#refused++;
    const { pushback } = this.#options;
    throw new TransportError(
      'resource_exhausted',
      `${call.protocol}/${call.method}: the server is overloaded: ${refusal}`,
      {
        sent: false,
        metadata:
          pushback === undefined
            ? undefined
            : { [resilienceMetadata.retryPushback]: String(pushback) },
      },
    );
  }

  /** Lets the handler run an admitted call, which already counts as running. */
  #run(next: ServerNext, call: ServerCall): unknown {
    const startedAt = this.#options.clock.now();
    this.#admitted++;
    let result: unknown;
    try {
      result = next(call);
    } catch (error) {
      this.#ended(call, startedAt);
      throw error;
    }
    if (!isThenable(result)) {
      this.#ended(call, startedAt);
      return result;
    }
    const end = () => this.#ended(call, startedAt);
    result.then(end, end);
    return result;
  }

  #ended({ kind }: ServerCall, startedAt: number): void {
    const now = this.#options.clock.now();
    if (kind === 'unary') this.#limit.record(now - startedAt, this.#running, now);
    this.#running--;
    while (this.#running < this.#limit.limit && this.#queue.admitNext(now));
  }

  snapshot(): ReturnType<Admission['snapshot']> {
    return {
      limit: this.#limit.limit,
      running: this.#running,
      waiting: this.#queue.size,
      admitted: this.#admitted,
      refused: this.#refused,
    };
  }
}

function priorityOf(given: number): number {
  return Number.isInteger(given) ? Math.max(0, Math.min(PRIORITIES - 1, given)) : USUAL;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}

const USUAL = 5;
const schema = optionsSchema({
  limit: option.group(adaptiveFields),
  queue: option.group({
    length: option.withDefault(option.integer(1, 1_000_000), 1_000),
    target: option.withDefault(option.milliseconds(), 5),
    interval: option.withDefault(option.milliseconds(), 100),
  }),
  priority: option.withDefault(
    option.callback<(call: ServerCall) => number>(),
    ({ metadata }: ServerCall) => {
      const text = metadata[resilienceMetadata.priority];
      return text !== undefined && /^[0-9]$/.test(text) ? Number(text) : USUAL;
    },
  ),
  pushback: option.optional(option.integer(0, 0x7fff_ffff)),
  clock: clockField,
});
