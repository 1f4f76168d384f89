// A ledger of all calls (made, answered, and failed by code) that checks whether the transports
// count the same.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import type { Soaked } from './protocol.ts';

export class Ledger {
  made = 0;
  answered = 0;
  readonly failed: Partial<Record<ErrorCode, number>> = {};
  /** Calls by the transports' own counters, including transports that are closed. */
  readonly counted: { made: number; failed: Partial<Record<ErrorCode, number>> } = {
    made: 0,
    failed: {},
  };

  /** Makes and counts a call. Rejects only if the call fails with anything but a TransportError. */
  async call(make: () => Promise<unknown>): Promise<void> {
    this.made++;
    try {
      await make();
      this.answered++;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      add(this.failed, error.code, 1);
    }
  }

  /** Adds the counters of a transport that is about to close. */
  keep(transport: Soaked): void {
    const { calls, errors } = transport.snapshot();
    this.counted.made += calls.made;
    for (const [code, amount] of Object.entries(errors))
      add(this.counted.failed, code as ErrorCode, amount);
  }

  /** Returns a sentence on the numbers that differ; undefined if all of them balance. */
  imbalance(): string | undefined {
    const failed = Object.values(this.failed).reduce((sum, amount) => sum + amount, 0);
    if (this.made !== this.answered + failed)
      return `${this.made} calls were made, ${this.answered} answered and ${failed} failed`;
    if (this.made !== this.counted.made)
      return `${this.made} calls were made, the transports counted ${this.counted.made}`;
    const [ours, theirs] = [this.failed, this.counted.failed].map(sorted);
    return ours === theirs
      ? undefined
      : `failed by code: ${ours}; the transports counted ${theirs}`;
  }

  toString(): string {
    return `${this.made} made = ${this.answered} answered + failed (${sorted(this.failed) || 'none'})`;
  }
}

function add(table: Partial<Record<ErrorCode, number>>, code: ErrorCode, amount: number): void {
  table[code] = (table[code] ?? 0) + amount;
}

function sorted(table: Partial<Record<ErrorCode, number>>): string {
  return Object.entries(table)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, amount]) => `${code} ${amount}`)
    .join(', ');
}
