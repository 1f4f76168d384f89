// Searches the address book for a node to dial, and skips searches that would fail again. Otherwise
// a large book without eligible nodes would be searched at every wake-up.

import type { DialCandidate, PlannerView } from './dial-order.ts';

export class BookSearch {
  /** Set after a search that found nothing, until the given time or until `news` changes. */
  #vain: { until: number; readonly news: number | undefined } | undefined;

  /** The latest time at which to search again; Infinity if no search has failed. */
  get until(): number {
    return this.#vain?.until ?? Number.POSITIVE_INFINITY;
  }

  /** Returns true if a search found nothing and nothing has changed since. */
  isVain(now: number, { news }: PlannerView): boolean {
    return (
      this.#vain !== undefined &&
      now < this.#vain.until &&
      news !== undefined &&
      news === this.#vain.news
    );
  }

  /**
   * @param again returns the time at which a node may become eligible without a change of `news`,
   * because a back-off or a ban ends. No event reports the end of a ban.
   */
  pick(
    now: number,
    view: PlannerView,
    isEligible: (candidate: DialCandidate) => boolean,
    again: () => number,
  ): DialCandidate | undefined {
    if (this.isVain(now, view)) return undefined;
    const candidate = view.pick(isEligible, now);
    if (candidate !== undefined && isEligible(candidate)) return candidate;
    this.#vain = { until: again(), news: view.news };
    return undefined;
  }

  /** Notes that a node may become eligible at `time`. */
  by(time: number): void {
    if (this.#vain !== undefined && time < this.#vain.until) this.#vain.until = time;
  }

  /** Notes that a node may be eligible now. */
  reset(): void {
    this.#vain = undefined;
  }
}
