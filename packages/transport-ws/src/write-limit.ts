// Decides how many bytes may wait in a browser's WebSocket. A page can only poll how many wait, so
// with few of them a fast network is idle until the next poll; with many, a slow network delays
// calls that are sent behind them. So their number follows the network.

/** The limit for one WebSocket. It begins low, because the network is not known yet. */
export class WriteLimit {
  #high = LEAST;
  /** The time of the last write. */
  #since = 0;

  /** Returns true if the writer must stop, because this many bytes wait. Call it at each write. */
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

/** The lowest and the highest limit, in bytes. */
const LEAST = 64 * 1024;
const MOST = 1024 * 1024;
/**
 * Milliseconds in which half of the bytes leave a fast network, and a slow one. Browsers let a poll
 * take at least 4 ms.
 */
const FAST = 16;
const SLOW = 48;
