// Outlier ejection by the rules of gRFC A50, which come from Envoy: addresses whose calls fail much
// more often than the calls of other addresses get no calls for a while.

import type { AddressState } from './address-state.ts';

/** The options of outlier ejection with all defaults; `BalancerOptions` describes them. */
export interface OutlierSettings {
  readonly interval: number;
  readonly baseEjection: number;
  readonly maxEjection: number;
  readonly maxEjectionPercent: number;
  readonly successRateFactor: number;
  readonly failurePercent: number;
  readonly minAddresses: number;
  readonly minCalls: number;
}

/** The record of one address. */
interface Examined {
  calls: number;
  failures: number;
  /** The number of consecutive ejections; it falls by one in each interval without one. */
  multiplier: number;
  ejectedAt: number | undefined;
}

/**
 * Examines the addresses of one name. It needs no timer: the first call after an interval starts
 * it.
 */
export class Outliers {
  readonly #settings: OutlierSettings;
  readonly #ejected: (address: AddressState, isEjected: boolean) => void;
  readonly #records = new Map<AddressState, Examined>();
  #examinedAt: number;

  /** @param ejected called after an address was ejected or has returned. */
  constructor(
    settings: OutlierSettings,
    now: number,
    ejected: (address: AddressState, isEjected: boolean) => void,
  ) {
    this.#settings = settings;
    this.#examinedAt = now;
    this.#ejected = ejected;
  }

  /** Called when the addresses have changed: forgets those that were removed. */
  update(addresses: readonly AddressState[]): void {
    const kept = new Set(addresses);
    for (const address of this.#records.keys())
      if (!kept.has(address)) this.#records.delete(address);
    for (const address of addresses) {
      if (!this.#records.has(address))
        this.#records.set(address, { calls: 0, failures: 0, multiplier: 0, ejectedAt: undefined });
    }
  }

  record(address: AddressState, isFailure: boolean): void {
    const record = this.#records.get(address);
    if (record === undefined) return;
    record.calls++;
    if (isFailure) record.failures++;
  }

  /** Examines all addresses if an interval has passed. */
  examine(now: number): void {
    const { interval } = this.#settings;
    if (now - this.#examinedAt < interval) return;
    this.#examinedAt = now;
    const { minCalls, minAddresses } = this.#settings;
    const busy = [...this.#records].filter(([, { calls }]) => calls >= minCalls);
    if (busy.length >= minAddresses) {
      this.#bySuccessRate(busy, now);
      this.#byFailures(busy, now);
    }
    for (const [address, record] of this.#records) {
      record.calls = 0;
      record.failures = 0;
      this.#returns(address, record, now);
    }
  }

  #bySuccessRate(busy: readonly [AddressState, Examined][], now: number): void {
    const { successRateFactor } = this.#settings;
    if (successRateFactor === 0) return;
    const rates = busy.map(([, record]) => 1 - record.failures / record.calls);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const variance =
      rates.reduce((sum, rate) => sum + (rate - mean) * (rate - mean), 0) / rates.length;
    const least = mean - Math.sqrt(variance) * successRateFactor;
    for (const [i, [address, record]] of busy.entries())
      if (rates[i]! < least) this.#eject(address, record, now);
  }

  #byFailures(busy: readonly [AddressState, Examined][], now: number): void {
    const { failurePercent } = this.#settings;
    for (const [address, record] of busy) {
      if ((100 * record.failures) / record.calls > failurePercent)
        this.#eject(address, record, now);
    }
  }

  /** Ejects an address, unless so many are ejected that no further ejection is allowed. */
  #eject(address: AddressState, record: Examined, now: number): void {
    if (record.ejectedAt !== undefined) return;
    const ejected = [...this.#records.values()].filter((each) => each.ejectedAt !== undefined);
    const percent = (100 * ejected.length) / this.#records.size;
    // At least one address may be ejected, but never the last one that is not.
    if (ejected.length > 0 && percent >= this.#settings.maxEjectionPercent) return;
    if (ejected.length + 1 >= this.#records.size) return;
    record.ejectedAt = now;
    record.multiplier++;
    address.eject(true, now);
    this.#ejected(address, true);
  }

  #returns(address: AddressState, record: Examined, now: number): void {
    if (record.ejectedAt === undefined) {
      if (record.multiplier > 0) record.multiplier--;
      return;
    }
    const { baseEjection, maxEjection } = this.#settings;
    const longest = Math.max(baseEjection, maxEjection);
    if (now < record.ejectedAt + Math.min(baseEjection * record.multiplier, longest)) return;
    record.ejectedAt = undefined;
    address.eject(false, now);
    this.#ejected(address, false);
  }
}
