// Decides how many bytes may wait in a browser's WebSocket. A page can only poll how many wait, so
// with few of them a fast network is idle until the next poll; with many, a slow network delays
// calls that are sent behind them. So their number follows the network.

/** The limits of the bytes that wait. They begin low, because the network is not known yet. */
export class WriteLimit {
  #high = LEAST;
  /** The time at which the bytes that wait exceeded `#high`. */
  #since = 0;

  /** Returns true if the writer must stop, because this many bytes wait. */
  isFull(waiting: number, now: number): boolean {
    this.#since = now;
    return waiting > this.#high;
  }

  /** Returns true if the writer that was stopped may continue. */
  isDrained(waiting: number, now: number): boolean {
    if (waiting > this.#high / 2) return false;
    const took = now - this.#since;
    if (took < FAST) this.#high = Math.min(MOST, this.#high * 2);
    else if (took > SLOW) this.#high = Math.max(LEAST, this.#high / 2);
    return true;
  }
}

/** The least and the greatest number of bytes that may wait. */
const LEAST = 64 * 1024;
const MOST = 1024 * 1024;
/**
 * Milliseconds in which half of the bytes leave a fast network, and a slow one. Browsers let a poll
 * take at least 4 ms.
 */
const FAST = 16;
const SLOW = 48;
