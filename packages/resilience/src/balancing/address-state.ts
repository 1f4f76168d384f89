// One address of a name: the calls in flight to it, its latency, and whether it takes calls.

import type { Random, ResolvedAddress } from '@trunkline/transport-core';
import { decay } from '../portable-math.ts';

/**
 * The result of a call, as it affects the state of its address; `outcomeOf` in balancer.ts finds
 * it. `late`: the call timed out, so it is unknown whether the address can be reached. `ignored`:
 * the caller canceled the call, or this end is the reason why no connection came up or why the call
 * was not sent, such as a codec that refuses the request.
 */
export type Outcome = 'success' | 'failure' | 'late' | 'unreachable' | 'lost' | 'ignored';

/** The settings that all addresses of a balancer share. */
export interface AddressSettings {
  readonly random: Random;
  /**
   * Duration, in milliseconds, over which the weight of a new address grows; 0 for no slow start.
   */
  readonly slowStart: number;
  /** True if an address gets no calls until `serves(true)` was called. */
  readonly healthCheck: boolean;
  /** Called when the address may have begun or ceased to take calls. */
  readonly changed: (address: AddressState, event: 'up' | 'down' | undefined) => void;
}

/** The state of an address: `up` if it gets calls, otherwise the reason why it gets none. */
export type AddressStatus = 'up' | 'down' | 'probing' | 'not_serving' | 'ejected' | 'removed';

/** One address and everything that is known about it. */
export class AddressState {
  readonly address: string;
  readonly #settings: AddressSettings;
  #weight = 1;
  priority = 0;
  /** Number of calls that have not ended. */
  inFlight = 0;
  #isRemoved = false;
  // Reachability.
  /**
   * The number of failed attempts to reach the address since the last success; 0 while it is up.
   */
  #misses = 0;
  #downUntil = 0;
  #isProbed = false;
  /** The result of `refusalOf` for its last failed dial. The balancer sets it. */
  refusal: string | undefined = undefined;
  // Ejection and health.
  isEjected = false;
  #isServing: boolean;
  // Latency.
  /** The moving average in milliseconds; undefined before the first answer. */
  #latency: number | undefined = undefined;
  #measuredAt = 0;
  /** Time at which its weight began to grow; undefined at full weight. */
  #startedAt: number | undefined = undefined;
  // Counters since the address was added.
  /** Number of calls that have ended. */
  calls = 0;
  /** Number of calls that failed and counted against the address. */
  failures = 0;

  constructor(given: ResolvedAddress, settings: AddressSettings) {
    this.address = given.address;
    this.#settings = settings;
    this.#isServing = !settings.healthCheck;
    this.update(given);
  }

  /**
   * Takes over the weight and the priority of the resolver, or the defaults if they are invalid.
   */
  update({ weight = 1, priority = 0 }: ResolvedAddress): void {
    this.#weight = Number.isFinite(weight) && weight >= 0 ? weight : 1;
    this.priority = Number.isFinite(priority) ? priority : 0;
  }

  /** Marks the address as no longer in the list, so that it gets no new calls. */
  remove(): void {
    this.#isRemoved = true;
  }

  // Availability.

  statusAt(now: number): AddressStatus {
    if (this.#isRemoved) return 'removed';
    if (this.isEjected) return 'ejected';
    if (!this.#isServing) return 'not_serving';
    if (this.#misses === 0) return 'up';
    return this.#isProbed || now >= this.#downUntil ? 'probing' : 'down';
  }

  /**
   * Returns true if the address may get a call now. An address that was down gets one call at a
   * time until a call succeeds.
   */
  takesCalls(now: number): boolean {
    if (this.isEjected || this.#isRemoved || !this.#isServing) return false;
    return this.#misses === 0 || (!this.#isProbed && now >= this.#downUntil);
  }

  /** Returns the next time at which `takesCalls` changes, or the slow start ends, by itself. */
  nextChange(now: number): number {
    if (this.#misses > 0 && this.#downUntil > now) return this.#downUntil;
    if (this.#startedAt === undefined) return Number.POSITIVE_INFINITY;
    const fullAt = this.#startedAt + this.#settings.slowStart;
    if (now < fullAt) return fullAt;
    this.#startedAt = undefined;
    return Number.POSITIVE_INFINITY;
  }

  /** Ejects the address as an outlier, or lets it return. */
  eject(isEjected: boolean, now: number): void {
    this.isEjected = isEjected;
    if (!isEjected) this.#startSlowly(now);
    this.#settings.changed(this, undefined);
  }

  /** Takes over what the server says about its health; it can be reached then. */
  serves(isServing: boolean, now: number): void {
    const change = isServing === this.#isServing ? undefined : isServing ? 'up' : 'down';
    this.#isServing = isServing;
    if (isServing && this.#misses > 0) this.#reached(now);
    else if (change !== undefined) {
      if (isServing) this.#startSlowly(now);
      this.#settings.changed(this, change);
    }
  }

  // Weight.

  /** Starts with a small weight if slow start is on. */
  joins(now: number): void {
    this.#startSlowly(now);
  }

  /**
   * Returns the current weight. During a slow start it grows in proportion to time, starting at a
   * tenth, as in Envoy's slow start with aggression 1 and its `min_weight_percent` of 10.
   */
  weightAt(now: number): number {
    if (this.#startedAt === undefined) return this.#weight;
    const part = (now - this.#startedAt) / this.#settings.slowStart;
    if (part >= 1) {
      this.#startedAt = undefined;
      return this.#weight;
    }
    return this.#weight * Math.max(0.1, part);
  }

  /** True if its weight is growing. */
  get isStarting(): boolean {
    return this.#startedAt !== undefined;
  }

  /** The weight that the resolver reported. */
  get fullWeight(): number {
    return this.#weight;
  }

  #startSlowly(now: number): void {
    if (this.#settings.slowStart > 0) this.#startedAt = now;
  }

  // Calls.

  /** Records the start of a call; `ended` must follow. */
  started(): void {
    this.inFlight++;
    if (this.#misses === 0) return;
    this.#isProbed = true;
    this.#settings.changed(this, undefined);
  }

  /** Records that a connection has come up, although its call, such as a download, goes on. */
  reached(now: number): void {
    if (this.#misses > 0) this.#reached(now);
  }

  /** Records the end of a call that took `elapsed` milliseconds. */
  ended(outcome: Outcome, elapsed: number, now: number): void {
    this.inFlight--;
    if (outcome === 'ignored') {
      // The latency of the call would have been at least `elapsed`.
      if (elapsed > (this.#latency ?? elapsed)) this.#measure(elapsed, now);
      return this.#endProbe();
    }
    this.calls++;
    if (outcome !== 'success') this.failures++;
    if (outcome === 'unreachable') return this.#missed(now, true);
    this.#measure(outcome === 'success' ? elapsed : this.#penalty(elapsed), now);
    if (outcome === 'lost') return this.#missed(now, false);
    if (this.#misses === 0) return;
    if (outcome === 'late') this.#missed(now, true);
    else this.#reached(now);
  }

  /**
   * Ends a probe whose call gave no information about the address, so that another call may probe
   * it.
   */
  #endProbe(): void {
    if (!this.#isProbed) return;
    this.#isProbed = false;
    this.#settings.changed(this, undefined);
  }

  /**
   * Takes the address out of use, because it could not be reached or its connection was lost. It is
   * down for a back-off as in gRPC's connection back-off: 1 s, then 1.6 times as long after each
   * further failure, up to 30 s, each ± 20 %. After a lost connection, one call may immediately try
   * to dial it.
   */
  #missed(now: number, wasDialed: boolean): void {
    const wasUp = this.#misses === 0;
    this.#isProbed = false;
    // Calls that fail together, because they waited for one dial, count once.
    if (!wasUp && wasDialed && now < this.#downUntil) return;
    if (wasDialed || wasUp) this.#misses++;
    if (wasDialed) {
      let wait = BACK_OFF.first;
      for (let n = 1; n < this.#misses && wait < BACK_OFF.most; n++) wait *= BACK_OFF.factor;
      wait = Math.min(wait, BACK_OFF.most);
      this.#downUntil = now + wait * (0.8 + 0.4 * this.#settings.random());
    } else if (wasUp) this.#downUntil = now;
    this.#settings.changed(this, wasUp ? 'down' : undefined);
  }

  #reached(now: number): void {
    this.refusal = undefined;
    this.#misses = 0;
    this.#isProbed = false;
    this.#startSlowly(now);
    this.#settings.changed(this, 'up');
  }

  // Latency.

  /**
   * Returns the expected cost of another call: the average latency times the number of calls that
   * would then be in flight. An address that has not answered yet costs nothing while it is idle,
   * so that it is tried. While its first call is pending, it costs a great deal.
   */
  costAt(now: number): number {
    if (this.#latency === undefined) return this.inFlight === 0 ? 0 : UNKNOWN + this.inFlight;
    return this.latencyAt(now)! * (this.inFlight + 1);
  }

  /** Returns the average latency in milliseconds, which decays while there are no calls. */
  latencyAt(now: number): number | undefined {
    if (this.#latency === undefined) return undefined;
    return this.#latency * decay(Math.max(0, now - this.#measuredAt) / DECAY);
  }

  /**
   * Updates a peak EWMA as in Finagle's `p2cPeakEwma`: a slower answer counts fully and
   * immediately, a faster one only gradually.
   */
  #measure(elapsed: number, now: number): void {
    const last = this.#latency;
    if (last === undefined) this.#latency = elapsed;
    else {
      const kept = decay(Math.max(0, now - this.#measuredAt) / DECAY);
      const decayed = last * kept;
      this.#latency = elapsed > decayed ? elapsed : decayed + elapsed * (1 - kept);
    }
    this.#measuredAt = now;
  }

  /**
   * Returns the latency at which a failure is counted: twice the average, from 20 ms to 10 s, and
   * at least `elapsed`. Otherwise a server that fails fast would attract calls.
   */
  #penalty(elapsed: number): number {
    return Math.max(elapsed, Math.min(MOST_PENALTY, 2 * Math.max(this.#latency ?? 0, 10)));
  }
}

/**
 * The back-off of an address that is down, in milliseconds: gRPC's connection back-off, except that
 * gRPC's maximum is 120 s.
 */
const BACK_OFF = { first: 1_000, factor: 1.6, most: 30_000 };
/** The time constant, in milliseconds, with which a latency decays to 1/e (Finagle's default). */
const DECAY = 10_000;
/** The cost of an address whose first answer is pending (Finagle's penalty). */
const UNKNOWN = 1e9;
const MOST_PENALTY = 10_000;
