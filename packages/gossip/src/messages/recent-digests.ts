// Remembers the content digests of the last messages, as numbers in a ring buffer. A Map with an
// object and a string for each of thousands of messages kept the garbage collector busier than all
// other work on a message.

export class RecentDigests {
  readonly #most: number;
  #size = 0;
  /** Position of the oldest entry in the ring. */
  #first = 0;
  #ring = new Ring(LEAST);

  /** @param most the maximum number of digests; beyond it the oldest is dropped */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Time at which the oldest digest was added; Infinity if there is none. */
  get oldest(): number {
    return this.#size === 0
      ? Number.POSITIVE_INFINITY
      : this.#ring.numbers[EACH * this.#first + TIME]!;
  }

  /**
   * Adds a digest.
   * @param life the serial number of the origin's life
   */
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

  /** Returns the digest of a message; −1 if it is not known. */
  get(life: number, sequence: number): number {
    const { numbers, heads, befores, mask } = this.#ring;
    let younger = this.#size;
    let place = heads[slotOf(life, sequence) & mask]!;
    for (let steps = 0; steps < STEPS && place >= 0; steps++) {
      // An entry that was dropped ends the chain; its position may already hold a later entry.
      const age = (place - this.#first) & mask;
      if (age >= younger) return -1;
      if (numbers[EACH * place + SEQUENCE] === sequence && numbers[EACH * place + LIFE] === life)
        return numbers[EACH * place + DIGEST]!;
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
      ring.write(
        i,
        numbers[from + LIFE]!,
        numbers[from + SEQUENCE]!,
        numbers[from + DIGEST]!,
        numbers[from + TIME]!,
      );
    }
    this.#ring = ring;
    this.#first = 0;
  }
}

/** A ring buffer whose size is a power of two. */
class Ring {
  readonly mask: number;
  /** For each position, side by side: life, sequence, digest and time. */
  readonly numbers: Float64Array;
  /** For each hash slot, the position written last; −1 if there is none. */
  readonly heads: Int32Array;
  /** For each position, the previous position in the same hash slot. */
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

/**
 * Returns a hash. Sequences of one life get adjacent slots, because scattered slots caused a memory
 * fetch for each message.
 */
function slotOf(life: number, sequence: number): number {
  return (sequence + Math.imul(life, 0x9e37_79b1)) | 0;
}

const EACH = 4;
const LIFE = 0;
const SEQUENCE = 1;
const DIGEST = 2;
const TIME = 3;
const LEAST = 16;
/**
 * Maximum number of entries examined in one hash slot. An attacker that fills a slot can hide some
 * conflicts but can't cause more work.
 */
const STEPS = 16;
