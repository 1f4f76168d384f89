// Counts and durations of the calls of one side, by method and code. A call allocates nothing,
// except the first one of a method, and the first one of a method that fails with a certain code.

import type { CallRecord, ErrorCode } from '@trunkline/transport-core';
import type { Collection, MetricAttributes } from './collection.ts';
import { METRICS } from './definitions.ts';
import { Histogram } from './histogram.ts';

/** The calls of one method. */
class MethodMetrics {
  readonly protocol: string;
  readonly method: string;
  /** The value of `rpc.method`. */
  readonly name: string;
  active = 0;
  attempts = 0;
  readonly queued: Histogram;
  /** The durations of calls that succeeded. */
  readonly ok: Histogram;
  /** One histogram for each code with which calls failed or were canceled. */
  readonly failed = new Map<ErrorCode, Histogram>();
  readonly #bounds: readonly number[];

  constructor(protocol: string, method: string, name: string, bounds: readonly number[]) {
    this.protocol = protocol;
    this.method = method;
    this.name = name;
    this.queued = new Histogram(bounds);
    this.ok = new Histogram(bounds);
    this.#bounds = bounds;
  }

  durationsOf(code: ErrorCode | undefined): Histogram {
    return code === undefined ? this.ok : (this.failed.get(code) ?? this.#add(code));
  }

  #add(code: ErrorCode): Histogram {
    const durations = new Histogram(this.#bounds);
    this.failed.set(code, durations);
    return durations;
  }
}

/** Metrics of the calls that a node makes, or of those that it handles. */
export class CallMetrics {
  readonly #bounds: readonly number[];
  /** Maximum number of methods that are counted by name. */
  readonly #most: number;
  readonly #protocols = new Map<string, Map<string, MethodMetrics>>();
  #count = 0;
  #others: MethodMetrics | undefined = undefined;
  /**
   * The method of the last call. It is cached because the next call is often of the same method.
   */
  #last: MethodMetrics;

  constructor(bounds: readonly number[], most: number) {
    this.#bounds = bounds;
    this.#most = most;
    this.#last = new MethodMetrics('', '', '', bounds);
  }

  /** Call `ended` once for each call that was started; otherwise it counts as active forever. */
  started(call: CallRecord): void {
    this.#of(call).active++;
  }

  ended(call: CallRecord): void {
    const method = this.#of(call);
    method.active--;
    method.durationsOf(call.code).record(call.duration / 1_000);
  }

  /**
   * Counts how often the request of a call was written, and records how long it waited before that.
   * Only clients use it, when a call has ended.
   */
  written(call: CallRecord): void {
    const { attempts } = call;
    if (attempts === 0) return;
    const method = this.#of(call);
    method.attempts += attempts;
    method.queued.record(call.queued / 1_000);
  }

  collect(into: Collection, side: CallRecord['side']): void {
    const isClient = side === 'client';
    for (const method of this.#all()) {
      const attributes: MetricAttributes = {
        'rpc.system.name': 'trunkline',
        'rpc.method': method.name,
      };
      const durations = isClient ? METRICS.clientDuration : METRICS.serverDuration;
      if (method.ok.count > 0)
        into.addHistogram(durations, method.ok, { ...attributes, 'rpc.status_code': 'ok' });
      for (const [code, failed] of method.failed) {
        // A call that its caller canceled did not fail.
        const type = code === 'cancelled' ? undefined : { 'error.type': code };
        into.addHistogram(durations, failed, { ...attributes, 'rpc.status_code': code, ...type });
      }
      into.add(isClient ? METRICS.clientActive : METRICS.serverActive, method.active, attributes);
      if (!isClient) continue;
      into.add(METRICS.attempts, method.attempts, attributes);
      into.addHistogram(METRICS.queued, method.queued, attributes);
    }
  }

  *#all(): IterableIterator<MethodMetrics> {
    for (const methods of this.#protocols.values()) yield* methods.values();
    if (this.#others !== undefined) yield this.#others;
  }

  #of({ protocol, method }: CallRecord): MethodMetrics {
    const last = this.#last;
    if (last.method === method && last.protocol === protocol) return last;
    const found = this.#protocols.get(protocol)?.get(method) ?? this.#add(protocol, method);
    if (found !== this.#others) this.#last = found;
    return found;
  }

  #add(protocol: string, method: string): MethodMetrics {
    if (this.#count >= this.#most) {
      this.#others ??= new MethodMetrics('', '', '_OTHER', this.#bounds);
      return this.#others;
    }
    this.#count++;
    const added = new MethodMetrics(protocol, method, `${protocol}/${method}`, this.#bounds);
    const methods = this.#protocols.get(protocol) ?? new Map<string, MethodMetrics>();
    this.#protocols.set(protocol, methods.set(method, added));
    return added;
  }
}
