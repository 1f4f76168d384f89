// What is done for those who ask: newcomers are introduced, and links given up. So often, and no oftener.

import { Allowance } from './allowance.ts';
import type { PartialViewConfig } from './options.ts';

export class Favors {
  readonly #forAll: Allowance;
  /** The same for known nodes: strangers cannot use them up. */
  readonly #forKnown: Allowance;
  readonly #isKnown: (peer: string) => boolean;

  constructor({ active, favorInterval }: PartialViewConfig, isKnown: (peer: string) => boolean, now: number) {
    this.#forAll = new Allowance(2 * active, favorInterval, now);
    this.#forKnown = new Allowance(2 * active, favorInterval, now);
    this.#isKnown = isKnown;
  }

  /** May one be done for that peer? */
  take(peer: string, now: number): boolean {
    return this.#forAll.take(now) || (this.#isKnown(peer) && this.#forKnown.take(now));
  }

  /** Many have asked of late. */
  isScarce(now: number): boolean {
    return this.#forAll.isScarce(now);
  }
}
