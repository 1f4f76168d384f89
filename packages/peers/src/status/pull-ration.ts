// Limits how often a peer's status is pulled, because each answer may take long to decode.

/** The pulls that are still allowed for one peer. */
export class PullRation {
  readonly #pulls: Bucket;
  readonly #bad: Bucket;

  constructor(now: number) {
    this.#pulls = new Bucket(PULLS, PULL_INTERVAL, now);
    this.#bad = new Bucket(BAD, BAD_INTERVAL, now);
  }

  /**
   * Takes a pull from the ration. Returns false if none is left, or if too many recent pulls
   * returned malformed statuses.
   */
  take(now: number): boolean {
    return this.#bad.has(now) && this.#pulls.take(now);
  }

  /** Records that a pull returned a malformed status. */
  spoiled(now: number): void {
    this.#bad.take(now);
  }
}

/** A token bucket: `burst` tokens at once, and one more every `interval` milliseconds. */
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

/** Maximum number of pulls at once, and milliseconds until one more. */
const PULLS = 64;
const PULL_INTERVAL = 100;
/**
 * Maximum number of malformed statuses at once, and milliseconds until one more; the worst takes 50
 * ms to decode.
 */
const BAD = 8;
const BAD_INTERVAL = 10_000;
