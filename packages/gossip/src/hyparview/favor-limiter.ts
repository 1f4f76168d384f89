// Limits how often this node does something for nodes that ask: introduces newcomers, or gives up
// links for them.

import { Allowance } from './allowance.ts';
import type { PartialViewConfig } from './options.ts';

export class FavorLimiter {
  readonly #forAll: Allowance;
  /** A second allowance for known nodes, which strangers can't use up. */
  readonly #forKnown: Allowance;
  readonly #isKnown: (peer: string) => boolean;

  constructor(
    { active, favorInterval }: PartialViewConfig,
    isKnown: (peer: string) => boolean,
    now: number,
  ) {
    this.#forAll = new Allowance(2 * active, favorInterval, now);
    this.#forKnown = new Allowance(2 * active, favorInterval, now);
    this.#isKnown = isKnown;
  }

  /** Returns true if a favor may be done for that peer now, and counts it against the limit. */
  take(peer: string, now: number): boolean {
    return this.#forAll.take(now) || (this.#isKnown(peer) && this.#forKnown.take(now));
  }

  /** Returns true if many nodes have asked recently. */
  isScarce(now: number): boolean {
    return this.#forAll.isScarce(now);
  }
}
