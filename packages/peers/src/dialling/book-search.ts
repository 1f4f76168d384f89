// Searching the address book for somebody to dial, and not again in vain: a book where nobody is eligible is large, and asked at every turn.

import type { Candidate, PlannerView } from './dial-order.ts';

export class BookSearch {
  /** Nobody was eligible, until then or until there are news. */
  #vain: { until: number; readonly news: number | undefined } | undefined;

  /** When it is worth while again at the latest; Infinity where it is now. */
  get until(): number {
    return this.#vain?.until ?? Number.POSITIVE_INFINITY;
  }

  /** Has nothing changed since nobody was eligible? */
  isVain(now: number, { news }: PlannerView): boolean {
    return this.#vain !== undefined && now < this.#vain.until && news !== undefined && news === this.#vain.news;
  }

  /** @param again when somebody may be eligible without news: a back-off ends, or a ban, of which nobody tells. */
  pick(now: number, view: PlannerView, isEligible: (candidate: Candidate) => boolean, again: () => number): Candidate | undefined {
    if (this.isVain(now, view)) return undefined;
    const candidate = view.pick(isEligible);
    if (candidate !== undefined && isEligible(candidate)) return candidate;
    this.#vain = { until: again(), news: view.news };
    return undefined;
  }

  /** Somebody may be eligible at `time`. */
  by(time: number): void {
    if (this.#vain !== undefined && time < this.#vain.until) this.#vain.until = time;
  }

  /** Somebody may be eligible now. */
  reset(): void {
    this.#vain = undefined;
  }
}
