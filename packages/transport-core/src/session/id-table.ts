// Calls by their id on the wire. Our own ids are dense slots with a generation; a peer's may be anything of its parity.

/** Slots an id can name: 16 of its bits; the generation takes 14, the parity one. With the last bit V8 would keep ids as numbers on the heap. */
const SLOTS = 0x1_0000;

/** The highest id that is given: V8's small integers end here. */
const HIGHEST = 0x7fff_ffff;

/** Our own calls: an array and a free list, last out first in, so that ids stay dense (5 ns against a Map's 42). */
export class Slots<T extends { id: number }> {
  readonly #entries: (T | undefined)[] = [];
  readonly #ids: number[] = [];
  readonly #free: number[] = [];
  readonly #parity: number;
  size = 0;

  /** @param parity 1 for a dialler's ids, 0 for an acceptor's. */
  constructor(parity: 0 | 1) {
    this.#parity = parity;
  }

  get full(): boolean {
    return this.size >= SLOTS;
  }

  /** Gives the entry an id that no live one has. */
  add(entry: T): void {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#entries.length;
      this.#ids.push(slot === 0 && this.#parity === 0 ? SLOTS * 2 : slot * 2 + this.#parity);
    }
    this.#entries[slot] = entry;
    this.size++;
    entry.id = this.#ids[slot]!;
  }

  get(id: number): T | undefined {
    const entry = this.#entries[(id >>> 1) & (SLOTS - 1)];
    return entry !== undefined && entry.id === id ? entry : undefined;
  }

  /** The id may be used again, by another generation of its slot. False: the entry was not there. */
  delete(entry: T): boolean {
    const slot = (entry.id >>> 1) & (SLOTS - 1);
    if (this.#entries[slot] !== entry) return false;
    this.#entries[slot] = undefined;
    // Modulo 2^31 the next generation. The sum might be above V8's small integers, for once; every id would be a number on the heap from then on.
    this.#ids[slot] = (entry.id - (HIGHEST + 1 - SLOTS * 2)) & HIGHEST || SLOTS * 2;
    this.#free.push(slot);
    this.size--;
    return true;
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry;
  }
}

/** The peer's calls: an array by its slot number where ids are dense, a Map for the rest. */
export class PeerIds<T extends { id: number }> {
  private readonly dense: (T | undefined)[] = [];
  #rest: Map<number, T> | undefined = undefined;
  size = 0;
  /** The highest slot that was taken, and one: whoever reads it sets it to 0. With dense ids as many are in flight. */
  peak = 0;

  get(id: number): T | undefined {
    const entry = this.dense[(id >>> 1) & (SLOTS - 1)];
    if (entry !== undefined && entry.id === id) return entry;
    return this.#rest?.get(id);
  }

  set(entry: T): void {
    const slot = (entry.id >>> 1) & (SLOTS - 1);
    if (slot >= this.peak) this.peak = slot + 1;
    this.size++;
    if (slot <= this.dense.length && slot < DENSE && this.dense[slot] === undefined) this.dense[slot] = entry;
    else this.#setElsewhere(entry);
  }

  #setElsewhere(entry: T): void {
    this.#rest ??= new Map();
    this.#rest.set(entry.id, entry);
  }

  /** False: the entry was not there. */
  delete(entry: T): boolean {
    const slot = (entry.id >>> 1) & (SLOTS - 1);
    if (this.dense[slot] === entry) this.dense[slot] = undefined;
    else if (!this.#deleteElsewhere(entry)) return false;
    this.size--;
    return true;
  }

  #deleteElsewhere(entry: T): boolean {
    return this.#rest?.get(entry.id) === entry && this.#rest.delete(entry.id);
  }

  *values(): IterableIterator<T> {
    for (const entry of this.dense) if (entry !== undefined) yield entry;
    if (this.#rest !== undefined) yield* this.#rest.values();
  }
}

/** The dense array is bounded: a peer can't make us take memory by choosing ids. */
const DENSE = 8_192;
