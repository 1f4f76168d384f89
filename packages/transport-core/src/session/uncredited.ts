// The one-ways that have left and whose credit has not come back: nobody answers them, so credit is the only sign that one was taken.

/** Messages of one account in the order in which they left, as runs of equal cost: most senders' messages are alike. */
export class Uncredited {
  /** The newest run: what each of its messages cost (below 0 for requests, which have an answer), and how many there are. */
  #cost = 0;
  #count = 0;
  /** The runs before it: a ring of costs and counts, by turns. */
  #runs: Float64Array = NONE;
  #first = 0;
  #length = 0;
  /** Credit that came for the oldest message, but less than it cost. */
  #credit = 0;

  /** How many one-ways there are. */
  get size(): number {
    let size = this.#cost > 0 ? this.#count : 0;
    for (let i = 0; i < this.#length; i++) {
      const at = this.#at(i);
      if (this.#runs[at]! > 0) size += this.#runs[at + 1]!;
    }
    return size;
  }

  /** A one-way leaves. */
  oneway(cost: number): void {
    if (cost === this.#cost) this.#count++;
    else this.#begin(cost);
  }

  /** A request leaves that the same account pays for. */
  request(cost: number): void {
    this.oneway(-cost);
  }

  /** CREDIT came: for the oldest first. Of what goes beyond all that was spent nothing is kept. */
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

  /** Pays for as many messages of a run as the credit does. */
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

  /** The newest run is not the newest any more. */
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

  /** The ring is full: it becomes one with the last of it, whose one-ways have their mean cost. */
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
    for (let i = 0; i < this.#length; i++) runs.set(this.#runs.subarray(this.#at(i), this.#at(i) + 2), i * 2);
    this.#runs = runs;
    this.#first = 0;
  }

  /** Where the i-th run of the ring stands. */
  #at(i: number): number {
    return ((this.#first + i) * 2) & (this.#runs.length - 1);
  }
}

const NONE = new Float64Array(0);
/** Runs that the ring begins with, and may have: what a peer grants must not become our memory. Both are powers of two. */
const FEWEST = 8;
const MOST = 2_048;
/** A ring of more numbers is let go when it is empty. */
const KEPT = 512;
/** A mean is no integer: the last of a run must not be missed for the last bit. */
const ROUNDING = 1e-9;
