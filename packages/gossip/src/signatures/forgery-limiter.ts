// Limits the time spent on forgeries: a source of many forgeries is not verified any more for a
// while.

/**
 * Counts forgeries per source in the current second. It remembers only sources that have sent a
 * forgery in that second.
 */
export class ForgeryLimiter {
  readonly #counts = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  note(source: string, now: number): void {
    this.#renew(now);
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
  }

  /**
   * Returns true if so many forgeries came from the source that none of its messages is verified
   * for the rest of this second.
   */
  isBarred(source: string, now: number): boolean {
    this.#renew(now);
    return (this.#counts.get(source) ?? 0) >= FORGERIES;
  }

  #renew(now: number): void {
    if (now - this.#since < SECOND) return;
    this.#since = now;
    this.#counts.clear();
  }
}

/**
 * Forgeries that are verified per source and second: 2 to 4 ms of work in Node, 30 to 55 ms in a
 * browser. Honest peers send none.
 */
export const FORGERIES = 16;
const SECOND = 1_000;
