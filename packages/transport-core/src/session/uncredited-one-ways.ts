// Tracks the one-ways that have left and whose credit has not been returned. A one-way has no
// answer, so credit is the only sign that it was taken.

/**
 * Messages of one account in the order in which they left, stored as runs of equal cost because
 * most messages of a sender are alike.
 */
export class UncreditedOneWays {
  /**
   * The newest run: the cost of each message (negative for requests, which have an answer) and the
   * number of messages.
   */
  #cost = 0;
  #count = 0;
  /** A ring buffer of the earlier runs, alternating cost and count. */
  #runs: Float64Array = NONE;
  #first = 0;
  #length = 0;
  /** Credit that has arrived for the oldest message but does not cover its cost yet. */
  #credit = 0;

  /** The number of one-ways without credit. */
  get size(): number {
    let size = this.#cost > 0 ? this.#count : 0;
    for (let i = 0; i < this.#length; i++) {
      const at = this.#at(i);
      if (this.#runs[at]! > 0) size += this.#runs[at + 1]!;
    }
    return size;
  }

  /** Adds a one-way that leaves. */
  oneway(cost: number): void {
    if (cost === this.#cost) this.#count++;
    else this.#begin(cost);
  }

  /** Adds a request that leaves and is paid by the same account. */
  request(cost: number): void {
    this.oneway(-cost);
  }

  /**
   * Applies CREDIT to the oldest messages first. Credit beyond everything that was spent is
   * ignored.
   */
  credited(credit: number): void {
    this.#credit += credit;
    for (; this.#length > 0; this.#length--) {
      const at = this.#at(0);
      const count = this.#runs[at + 1]!;
      const taken = this.#take(this.#runs[at]!, count);
      this.#runs[at + 1] = count - taken;
      if (taken < count) return;
      this.#first = (this.#first + 1) & (this.#runs.length / 2 - 1);
    }
    if (this.#runs.length > KEPT) this.#runs = NONE;
    if (this.#count > 0) this.#count -= this.#take(this.#cost, this.#count);
    if (this.#count === 0) this.#credit = 0;
  }

  /** Pays for as many messages of a run as the credit covers, and returns their number. */
  #take(cost: number, count: number): number {
    const price = Math.abs(cost);
    const taken = Math.min(count, Math.floor(this.#credit / price + ROUNDING));
    this.#credit = Math.max(this.#credit - taken * price, 0);
    return taken;
  }

  #begin(cost: number): void {
    if (this.#count > 0) this.#keep();
    this.#cost = cost;
    this.#count = 1;
  }

  /** Moves the newest run into the ring, because a run of another cost begins. */
  #keep(): void {
    const size = this.#runs.length / 2;
    if (this.#length === size) {
      if (size >= MOST) return this.#merge();
      this.#grow(Math.max(size * 2, FEWEST));
    }
    const at = this.#at(this.#length++);
    this.#runs[at] = this.#cost;
    this.#runs[at + 1] = this.#count;
  }

  /**
   * Merges the newest run into the last one of the full ring. The one-ways of both then count with
   * their mean cost.
   */
  #merge(): void {
    const at = this.#at(this.#length - 1);
    const [cost, count] = [this.#runs[at]!, this.#runs[at + 1]!];
    const total = Math.abs(cost) * count + Math.abs(this.#cost) * this.#count;
    const oneways = (cost > 0 ? count : 0) + (this.#cost > 0 ? this.#count : 0);
    this.#runs[at] = oneways > 0 ? total / oneways : -total;
    this.#runs[at + 1] = oneways || 1;
  }

  #grow(size: number): void {
    const runs = new Float64Array(size * 2);
    for (let i = 0; i < this.#length; i++)
      runs.set(this.#runs.subarray(this.#at(i), this.#at(i) + 2), i * 2);
    this.#runs = runs;
    this.#first = 0;
  }

  /** Returns the position of the i-th run in the ring. */
  #at(i: number): number {
    return ((this.#first + i) * 2) & (this.#runs.length - 1);
  }
}

const NONE = new Float64Array(0);
/**
 * The initial and the maximum number of runs in the ring, both powers of two. The maximum bounds
 * the memory that a peer can occupy here by granting a lot of credit.
 */
const FEWEST = 8;
const MOST = 2_048;
/** A ring of more numbers than this is released when it is empty. */
const KEPT = 512;
/**
 * The tolerance for a mean cost, which is not an integer: without it, a rounding error could leave
 * out the last message of a run.
 */
const ROUNDING = 1e-9;
