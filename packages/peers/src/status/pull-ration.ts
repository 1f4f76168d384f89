// How often a peer's status is pulled: each answer may take long to decode.

/** One peer's. */
export class PullRation {
  readonly #pulls: Bucket;
  readonly #bad: Bucket;

  constructor(now: number) {
    this.#pulls = new Bucket(PULLS, PULL_INTERVAL, now);
    this.#bad = new Bucket(BAD, BAD_INTERVAL, now);
  }

  /** Takes one pull, if there is one, and if not too many of late brought what can't be read. */
  take(now: number): boolean {
    return this.#bad.has(now) && this.#pulls.take(now);
  }

  /** A pull brought a status that can't be read. */
  spoiled(now: number): void {
    this.#bad.take(now);
  }
}

/** So many at once, and one more every so often. */
class Bucket {
  readonly #burst: number;
  readonly #interval: number;
  #left: number;
  #at: number;

  constructor(burst: number, interval: number, now: number) {
    this.#burst = burst;
    this.#interval = interval;
    this.#left = burst;
    this.#at = now;
  }

  has(now: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, now - this.#at) / this.#interval);
    this.#at = now;
    return this.#left >= 1;
  }

  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.#left--;
    return true;
  }
}

/** Pulls at once, and milliseconds to one more. */
const PULLS = 64;
const PULL_INTERVAL = 100;
/** Statuses at once that can't be read, and milliseconds to one more: the worst takes 50 ms. */
const BAD = 8;
const BAD_INTERVAL = 10_000;
