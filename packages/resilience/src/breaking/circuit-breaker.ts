// The client interceptor that refuses calls to a target while most of them fail.

import {
  type ClientCall,
  type ClientInterceptor,
  type Clock,
  type Random,
  TransportError,
} from '@trunkline/transport-core';
import {
  type ClientNext,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { isCallersEnd, isServerFailure } from '../failures.ts';
import { follow } from '../followed-call.ts';
import { clockField, number, randomField } from '../option-fields.ts';
import { TickClock } from '../tick-clock.ts';
import { Circuit } from './circuit.ts';

/** Options of {@link createCircuitBreaker}; all are optional. */
export interface CircuitBreakerOptions {
  /** Length, in milliseconds, of the window in which calls are counted. Default 10,000. */
  readonly window?: number | undefined;
  /** Percentage of failed calls at which a circuit opens. Default 50. */
  readonly failurePercent?: number | undefined;
  /** Minimum number of calls in a window; with fewer, a circuit never opens. Default 20. */
  readonly minCalls?: number | undefined;
  /**
   * Duration, in milliseconds, for which an open circuit refuses calls; up to a fifth is added at
   * random. Default 5,000.
   */
  readonly openFor?: number | undefined;
  /**
   * Number of calls that a half-open circuit lets through; it closes if all succeed. Other calls
   * replace those that have not ended after `openFor`. Default 3.
   */
  readonly probes?: number | undefined;
  /**
   * Maximum number of circuits; beyond it, the least recently used one is forgotten. Default 1,000.
   */
  readonly circuits?: number | undefined;
  /**
   * Returns the key of a call's circuit; undefined for none. An error that it throws fails the
   * call. Default: the target, so behind a balancer each address has a separate circuit.
   */
  readonly key?: ((call: ClientCall) => string | undefined) | undefined;
  /**
   * Returns true if an error counts as a failure, as it does if this function throws. It is not
   * called for calls that this end has canceled. Default: errors for which the server is at fault.
   */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /**
   * Receives changes to circuits. The function is called synchronously; errors that it throws are
   * ignored.
   */
  readonly onEvent?: ((event: CircuitEvent) => void) | undefined;
  /** The clock of the transport. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** The source of random numbers. Default: the system's. */
  readonly random?: Random | undefined;
}

/** A change to a circuit's state. */
export interface CircuitEvent {
  readonly key: string;
  readonly state: 'closed' | 'open' | 'half-open';
}

/** A circuit breaker, made by {@link createCircuitBreaker}. */
export interface CircuitBreaker {
  /** The interceptor. Pass it among the transport's client interceptors, after the balancer's. */
  readonly interceptor: ClientInterceptor;
  /** Number of times that a circuit has opened. */
  readonly opened: number;
  /** Number of calls that a circuit has refused. */
  readonly refused: number;
  /** Returns the state of each circuit as plain data. */
  snapshot(): readonly {
    readonly key: string;
    readonly state: 'closed' | 'open' | 'half-open';
    /** Number of calls in the window, and (`failures`) how many of them failed. */
    readonly calls: number;
    readonly failures: number;
  }[];
}

/**
 * Creates an interceptor that refuses calls with `unavailable` (`sent: false`) while most calls to
 * the same target fail. Retries and balancers treat such a call as one that reached no server.
 *
 * @throws TypeError that names the invalid option.
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return new Breaker(options);
}

class Breaker implements CircuitBreaker {
  readonly interceptor: ClientInterceptor;
  opened = 0;
  refused = 0;
  readonly #options;
  readonly #ticks: TickClock;
  readonly #circuits = new Map<string, Circuit>();

  constructor(options: CircuitBreakerOptions) {
    this.#options = parseOptions(schema, options, 'createCircuitBreaker');
    this.#ticks = new TickClock(this.#options.clock);
    this.interceptor = (next) => (call) => this.#guard(next, call);
  }

  #guard(next: ClientNext, call: ClientCall): Promise<unknown> {
    const key = this.#options.key(call);
    if (key === undefined) return next(call);
    const now = this.#ticks.now();
    const circuit = this.#circuitOf(key, now);
    const entry = circuit.enter(now);
    if (entry === undefined) {
      this.refused++;
      return Promise.reject(refusal(call, key, circuit, now));
    }
    return follow(next, call, (error) =>
      circuit.ended(entry, this.#isFailure(error), this.#ticks.now()),
    );
  }

  #isFailure(error: unknown): boolean | undefined {
    if (isCallersEnd(error)) return undefined;
    try {
      return error !== undefined && this.#options.isFailure(error);
    } catch {
      return true;
    }
  }

  #circuitOf(key: string, now: number): Circuit {
    const known = this.#circuits.get(key);
    if (known !== undefined) return known;
    if (this.#circuits.size >= this.#options.circuits) this.#forgetOldest();
    const circuit = new Circuit(this.#options, now, (state) => this.#tell({ key, state }));
    this.#circuits.set(key, circuit);
    return circuit;
  }

  #forgetOldest(): void {
    let oldest: string | undefined;
    let usedAt = Number.POSITIVE_INFINITY;
    for (const [key, circuit] of this.#circuits) {
      if (circuit.usedAt >= usedAt) continue;
      usedAt = circuit.usedAt;
      oldest = key;
    }
    if (oldest !== undefined) this.#circuits.delete(oldest);
  }

  #tell(event: CircuitEvent): void {
    if (event.state === 'open') this.opened++;
    try {
      this.#options.onEvent?.(event);
    } catch {
      // An observer must not affect the calls that it observes.
    }
  }

  snapshot(): ReturnType<CircuitBreaker['snapshot']> {
    const now = this.#options.clock.now();
    return [...this.#circuits].map(([key, circuit]) => {
      circuit.window.advance(now);
      const { calls, failures } = circuit.window;
      return { key, state: circuit.state, calls, failures };
    });
  }
}

function refusal(call: ClientCall, key: string, circuit: Circuit, now: number): TransportError {
  const wait = Math.ceil(circuit.waitAt(now));
  const when = wait > 0 ? `the next attempt is possible in ${wait} ms` : 'its probes are pending';
  return new TransportError(
    'unavailable',
    `${call.protocol}/${call.method}: the circuit of '${key}' is ${circuit.state}, because too many calls failed; ${when}`,
    { sent: false, target: key },
  );
}

const MOST = 1_000_000;
const schema = optionsSchema({
  window: option.withDefault(option.milliseconds(), 10_000),
  failurePercent: option.withDefault(number(1, 100), 50),
  minCalls: option.withDefault(option.integer(1, MOST), 20),
  openFor: option.withDefault(option.milliseconds(), 5_000),
  probes: option.withDefault(option.integer(1, 1_000), 3),
  circuits: option.withDefault(option.integer(1, MOST), 1_000),
  key: option.withDefault(
    option.callback<(call: ClientCall) => string | undefined>(),
    ({ target }: ClientCall) => (typeof target === 'string' ? target : target.endpoint),
  ),
  isFailure: option.withDefault(option.callback<(error: unknown) => boolean>(), isServerFailure),
  onEvent: option.optional(option.callback<(event: CircuitEvent) => void>()),
  clock: clockField,
  random: randomField,
});
