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
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#ring.numbers[EACH * this.#first + TIME]!;
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
    const { numbers, heads, befores, mask } = this.#ring;
    let younger = this.#size;
    let place = heads[slotOf(life, sequence) & mask]!;
    for (let steps = 0; steps < STEPS && place >= 0; steps++) {
      // What is gone leads nowhere, or by now to what came later.
      const age = (place - this.#first) & mask;
      if (age >= younger) return -1;
      if (numbers[EACH * place + SEQUENCE] === sequence && numbers[EACH * place + LIFE] === life) return numbers[EACH * place + DIGEST]!;
      younger = age;
      place = befores[place]!;
    }
    return -1;
  }

  #grow(): void {
    const { numbers, mask } = this.#ring;
    const ring = new Ring(2 * (mask + 1));
    for (let i = 0; i < this.#size; i++) {
      const from = EACH * ((this.#first + i) & mask);
      ring.write(i, numbers[from + LIFE]!, numbers[from + SEQUENCE]!, numbers[from + DIGEST]!, numbers[from + TIME]!);
    }
    this.#ring = ring;
    this.#first = 0;
  }
}

/** So many places, a power of two. */
class Ring {
  readonly mask: number;
  /** Of each place, one beside the other: life, sequence, digest and time. */
  readonly numbers: Float64Array;
  /** The place that was written last of those whose messages fall on it; −1: none was. */
  readonly heads: Int32Array;
  /** Of each place, the one before it that falls on the same. */
  readonly befores: Int32Array;

  constructor(places: number) {
    this.mask = places - 1;
    this.numbers = new Float64Array(EACH * places);
    this.heads = new Int32Array(places).fill(-1);
    this.befores = new Int32Array(places);
  }

  write(place: number, life: number, sequence: number, digest: number, now: number): void {
    const slot = slotOf(life, sequence) & this.mask;
    const { numbers } = this;
    const at = EACH * place;
    numbers[at + LIFE] = life;
    numbers[at + SEQUENCE] = sequence;
    numbers[at + DIGEST] = digest;
    numbers[at + TIME] = now;
    this.befores[place] = this.heads[slot]!;
    this.heads[slot] = place;
  }
}

/** Those of one life fall side by side: where they were scattered, each message had memory fetched for it. */
function slotOf(life: number, sequence: number): number {
  return (sequence + Math.imul(life, 0x9e37_79b1)) | 0;
}

const EACH = 4;
const LIFE = 0;
const SEQUENCE = 1;
const DIGEST = 2;
const TIME = 3;
const LEAST = 16;
/** Messages that fall on one place and are looked through: who makes more of them is told of fewer conflicts, and costs no more. */
const STEPS = 16;
