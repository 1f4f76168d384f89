// Where forgeries came from of late: what else comes from there is not worth the time that verifying it takes.

/** Counts forgeries in the current second, a source. It remembers no more sources than have sent one in it. */
export class Forgers {
  readonly #counts = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  note(source: string, now: number): void {
    this.#renew(now);
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
  }

  /** Have so many come from it that nothing more is looked at this second? */
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

/** So many of one source are verified in a second: 2 to 4 ms of work in Node, 30 to 55 in a browser. Honest peers send none. */
export const FORGERIES = 16;
const SECOND = 1_000;
