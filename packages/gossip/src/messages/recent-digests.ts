// Digests of the contents of the last messages: numbers in a ring. An object and a text in a Map for each, thousands of them, kept the collector of
// garbage busier than all else that is done with a message.

export class RecentDigests {
  readonly #most: number;
  #size = 0;
  /** Place of the oldest in the ring. */
  #first = 0;
  #ring = new Ring(LEAST);

  /** @param most that are kept; then the oldest goes. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** When the oldest was kept; Infinity: there is none. */
  get oldest(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#ring.times[this.#first]!;
  }

  /** @param life of the origin, by a number of its own. */
  keep(life: number, sequence: number, digest: number, now: number): void {
    if (this.#most === 0) return;
    if (this.#size === this.#most) this.dropOldest();
    else if (this.#size > this.#ring.mask) this.#grow();
    this.#ring.write((this.#first + this.#size) & this.#ring.mask, life, sequence, digest, now);
    this.#size++;
  }

  dropOldest(): void {
    this.#first = (this.#first + 1) & this.#ring.mask;
    this.#size--;
  }

  /** The digest of that message; −1: it is not known. */
  get(life: number, sequence: number): number {
    const { lives, sequences, digests, heads, befores, mask } = this.#ring;
    let younger = this.#size;
    let place = heads[hash(life, sequence) & mask]!;
    for (let steps = 0; steps < STEPS && place >= 0; steps++) {
      // What is gone leads nowhere, or by now to what came later.
      const age = (place - this.#first) & mask;
      if (age >= younger) return -1;
      if (sequences[place] === sequence && lives[place] === life) return digests[place]!;
      younger = age;
      place = befores[place]!;
    }
    return -1;
  }

  #grow(): void {
    const { lives, sequences, digests, times, mask } = this.#ring;
    const ring = new Ring(2 * (mask + 1));
    for (let i = 0; i < this.#size; i++) {
      const from = (this.#first + i) & mask;
      ring.write(i, lives[from]!, sequences[from]!, digests[from]!, times[from]!);
    }
    this.#ring = ring;
    this.#first = 0;
  }
}

/** So many places, a power of two. */
class Ring {
  readonly mask: number;
  readonly lives: Float64Array;
  readonly sequences: Float64Array;
  readonly digests: Float64Array;
  readonly times: Float64Array;
  /** By hash: the place that was written last; −1: none was. */
  readonly heads: Int32Array;
  /** Of each place, the one with its hash before. */
  readonly befores: Int32Array;

  constructor(places: number) {
    this.mask = places - 1;
    this.lives = new Float64Array(places);
    this.sequences = new Float64Array(places);
    this.digests = new Float64Array(places);
    this.times = new Float64Array(places);
    this.heads = new Int32Array(places).fill(-1);
    this.befores = new Int32Array(places);
  }

  write(place: number, life: number, sequence: number, digest: number, now: number): void {
    const slot = hash(life, sequence) & this.mask;
    this.lives[place] = life;
    this.sequences[place] = sequence;
    this.digests[place] = digest;
    this.times[place] = now;
    this.befores[place] = this.heads[slot]!;
    this.heads[slot] = place;
  }
}

function hash(life: number, sequence: number): number {
  const mixed = Math.imul(sequence ^ Math.imul(life, 0x85eb_ca6b), 0x9e37_79b1);
  return mixed ^ (mixed >>> 15);
}

const LEAST = 16;
/** Messages of one hash that are looked through: who makes more of them is told of fewer conflicts, and costs no more. */
const STEPS = 16;
