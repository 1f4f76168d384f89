// Limits the dials to nodes that are not persistent peers: how many are in progress at once, how
// many of them are young, and how many begin per second.

import type { DialKind } from './dial-order.ts';
import { DialRate } from './dial-rate.ts';
import type { DialsUnderWay } from './dials-under-way.ts';
import { YOUNG } from './limits.ts';

export interface DialQuotaOptions {
  /** The options of these names in `DialPlannerOptions`. */
  readonly concurrent: number;
  readonly young: number;
  readonly rate: number;
}

export class DialQuota {
  readonly #underWay: DialsUnderWay<DialKind>;
  readonly #concurrent: number;
  readonly #young: number;
  readonly #rate: DialRate;

  constructor(underWay: DialsUnderWay<DialKind>, { concurrent, young, rate }: DialQuotaOptions) {
    this.#underWay = underWay;
    this.#concurrent = concurrent;
    this.#young = young;
    this.#rate = new DialRate(rate);
  }

  /**
   * Returns the time at which the next dial may begin: it may begin at once if that is not in the
   * future. Returns Infinity if a dial in progress must end first.
   */
  readyAt(now: number): number {
    const { total } = this.#underWay;
    const others = total - this.#underWay.of('persistent');
    if (total >= this.#concurrent && others >= Math.max(1, Math.floor(this.#concurrent / 4)))
      return Number.POSITIVE_INFINITY;
    const since = this.#underWay.nthSince(this.#young, 'persistent');
    return since !== undefined && now < since + YOUNG ? since + YOUNG : this.#rate.readyAt;
  }

  /** Records that a dial begins. */
  take(now: number): void {
    this.#rate.take(now);
  }
}
