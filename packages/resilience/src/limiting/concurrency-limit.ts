// The client interceptor that limits calls in flight, and finds the limit by the latency of calls.

import {
  type ClientCall,
  type ClientInterceptor,
  type Clock,
  TransportError,
} from '@trunkline/transport-core';
import { type ClientNext, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { isCallersEnd } from '../failures.ts';
import { forward } from '../followed-call.ts';
import { clockField } from '../option-fields.ts';
import { GradientLimit } from './gradient.ts';
import { adaptiveFields } from './limit-fields.ts';

/**
 * Options of {@link createConcurrencyLimit}; all are optional. The defaults are those of Netflix's
 * Gradient2Limit.
 */
export interface ConcurrencyLimitOptions {
  /** The limit at the start. Default 20. */
  readonly initial?: number | undefined;
  /** The lowest limit, at most `max`. Default 20, or `max` if that is lower. */
  readonly min?: number | undefined;
  /** The highest limit. Default 200. */
  readonly max?: number | undefined;
  /**
   * The limit shrinks if calls take longer than this multiple of their usual latency. Default 1.5.
   */
  readonly tolerance?: number | undefined;
  /**
   * The duration, in milliseconds, over which latencies are averaged, and longer if fewer than 10
   * unary calls have ended. Default 1,000.
   */
  readonly window?: number | undefined;
  /** The clock of the transport. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** A limit of calls in flight, made by {@link createConcurrencyLimit}. */
export interface ConcurrencyLimit {
  /** The interceptor. Pass it among the transport's client interceptors. */
  readonly interceptor: ClientInterceptor;
  /** Returns the state of the limit as plain data. */
  snapshot(): {
    readonly limit: number;
    readonly inFlight: number;
    /** Number of calls that were refused because of the limit. */
    readonly refused: number;
    /** The usual latency in milliseconds; 0 at the start. */
    readonly usualLatency: number;
  };
}

/**
 * Creates an interceptor that refuses calls above an adaptive limit with `resource_exhausted`
 * (`sent: false`). As in Netflix's Gradient2, the limit shrinks while unary calls take longer than
 * usual, and grows while they do not. All calls through the interceptor share it, so create one for
 * each service. A download or duplex call counts only until `send` resolves to its items.
 *
 * @throws TypeError that names the invalid option.
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions = {}): ConcurrencyLimit {
  return new Limiter(options);
}

class Limiter implements ConcurrencyLimit {
  readonly interceptor: ClientInterceptor;
  readonly #clock: Clock;
  readonly #limit: GradientLimit;
  #inFlight = 0;
  #refused = 0;

  constructor(options: ConcurrencyLimitOptions) {
    const { clock, ...limit } = parseOptions(schema, options, 'createConcurrencyLimit');
    this.#clock = clock;
    this.#limit = new GradientLimit(limit, 'createConcurrencyLimit: ');
    this.interceptor = (next) => (call) => this.#send(next, call);
  }

  #send(next: ClientNext, call: ClientCall): Promise<unknown> {
    const { limit } = this.#limit;
    if (this.#inFlight >= limit) {
      this.#refused++;
      return Promise.reject(
        new TransportError(
          'resource_exhausted',
          `${call.protocol}/${call.method}: ${this.#inFlight} calls are in flight, and the adaptive limit is ${limit}`,
          { sent: false },
        ),
      );
    }
    const startedAt = this.#clock.now();
    this.#inFlight++;
    const result = forward(next, call);
    result.then(
      () => this.#ended(call, startedAt, true),
      (error) => this.#ended(call, startedAt, !isCallersEnd(error) && error?.sent !== false),
    );
    return result;
  }

  #ended({ kind }: ClientCall, startedAt: number, counts: boolean): void {
    const now = this.#clock.now();
    if (counts && kind === 'unary') this.#limit.record(now - startedAt, this.#inFlight, now);
    this.#inFlight--;
  }

  snapshot(): ReturnType<ConcurrencyLimit['snapshot']> {
    const { limit, usualLatency } = this.#limit;
    return { limit, inFlight: this.#inFlight, refused: this.#refused, usualLatency };
  }
}

const schema = optionsSchema({ ...adaptiveFields, clock: clockField });
