// Limits the dials to nodes that are not persistent peers: the number in progress at once, the
// number of young dials among them, and the number that begin per second.

import type { DialKind } from './dial-order.ts';
import { DialRate } from './dial-rate.ts';
import type { DialsUnderWay } from './dials-under-way.ts';
import { YOUNG } from './limits.ts';

export interface DialQuotaOptions {
  /** The fields are the options of the same names in `DialPlannerOptions`. */
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
   * Returns the time at which the next dial may begin; a time that is not in the future means at
   * once. Returns Infinity if a dial in progress must end first.
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
