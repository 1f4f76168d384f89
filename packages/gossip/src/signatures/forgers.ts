// Peers that have sent forgeries of late: what else they send is not worth the time that verifying it takes.

/** Counts forgeries in the current second. It remembers no more peers than have sent one in it. */
export class Forgers {
  readonly #counts = new Map<string, number>();
  #since = Number.NEGATIVE_INFINITY;

  note(peer: string, now: number): void {
    this.#renew(now);
    this.#counts.set(peer, (this.#counts.get(peer) ?? 0) + 1);
  }

  /** Has it sent so many that nothing more of it is looked at this second? */
  isBarred(peer: string, now: number): boolean {
    this.#renew(now);
    return (this.#counts.get(peer) ?? 0) >= FORGERIES;
  }

  #renew(now: number): void {
    if (now - this.#since < SECOND) return;
    this.#since = now;
    this.#counts.clear();
  }
}

/** So many of one peer are verified in a second: 2 to 4 ms of work in Node, 30 to 55 in a browser. Honest peers send none. */
export const FORGERIES = 16;
const SECOND = 1_000;
