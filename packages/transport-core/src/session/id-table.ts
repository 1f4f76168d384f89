// Tables of calls by their id on the wire. Our own ids are dense slots with a generation; the peer
// may choose any ids of its parity.
//
// Owns the assignment of ids to calls. The callers and callees enter and remove their calls; a
// table calls nothing but `assignId`.

/**
 * The number of slots that an id can name. The slot takes 16 bits of an id, the generation 14 and
 * the parity one. If ids used the last bit, V8 would store them as numbers on the heap.
 */
const SLOTS = 0x1_0000;

/** The highest id that is assigned; V8's small integers end here. */
export const HIGHEST = 0x7fff_ffff;

/** Returns the slot that an id names. */
export function slotOf(id: number): number {
  return (id >>> 1) & (SLOTS - 1);
}

/**
 * Our own calls: an array with a free list that is last in, first out, so that ids stay dense (5 ns
 * for a lookup; a Map takes 42 ns).
 */
export class Slots<T extends { readonly id: number; assignId(id: number): void }> {
  readonly #entries: (T | undefined)[] = [];
  readonly #ids: number[] = [];
  readonly #free: number[] = [];
  readonly #parity: number;
  size = 0;

  /** @param parity 1 for a dialer's ids, 0 for an acceptor's. */
  constructor(parity: 0 | 1) {
    this.#parity = parity;
  }

  get full(): boolean {
    return this.size >= SLOTS;
  }

  /** Assigns the entry an id that no live entry has. */
  add(entry: T): void {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#entries.length;
      this.#ids.push(slot === 0 && this.#parity === 0 ? SLOTS * 2 : slot * 2 + this.#parity);
    }
    this.#entries[slot] = entry;
    this.size++;
    entry.assignId(this.#ids[slot]!);
  }

  get(id: number): T | undefined {
    const entry = this.#entries[slotOf(id)];
    return entry !== undefined && entry.id === id ? entry : undefined;
  }

  /**
   * Removes an entry; its slot may then be used again under an id of the next generation. Returns
   * false if the entry was not in the table.
   */
  delete(entry: T): boolean {
    const slot = slotOf(entry.id);
    if (this.#entries[slot] !== entry) return false;
    this.#entries[slot] = undefined;
    // The next generation, modulo 2^31. A plain sum could exceed V8's small integers, and a single
    // such value would make V8 store every id as a number on the heap.
    this.#ids[slot] = (entry.id - (HIGHEST + 1 - SLOTS * 2)) & HIGHEST || SLOTS * 2;
    this.#free.push(slot);
    this.size--;
    return true;
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry;
  }
}

/** The peer's calls: an array indexed by slot while ids are dense, and a Map for the rest. */
export class PeerIds<T extends { readonly id: number }> {
  private readonly dense: (T | undefined)[] = [];
  #rest: Map<number, T> | undefined = undefined;
  size = 0;
  /** The highest slot used since the last `takePeak`, plus one. */
  #peak = 0;

  get(id: number): T | undefined {
    const entry = this.dense[slotOf(id)];
    if (entry !== undefined && entry.id === id) return entry;
    return this.#rest?.get(id);
  }

  set(entry: T): void {
    const { dense } = this;
    const slot = slotOf(entry.id);
    if (slot >= this.#peak) this.#peak = slot + 1;
    this.size++;
    if (slot <= dense.length && slot < DENSE && dense[slot] === undefined) dense[slot] = entry;
    else this.#setElsewhere(entry);
  }

  /**
   * Returns the highest slot used since the last call, plus one. With dense ids this is the number
   * of calls in flight.
   */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  #setElsewhere(entry: T): void {
    this.#rest ??= new Map();
    this.#rest.set(entry.id, entry);
  }

  /** Removes an entry; returns false if it was not in the table. */
  delete(entry: T): boolean {
    const slot = slotOf(entry.id);
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

/**
 * The maximum length of the dense array, so that a peer can't make this end use memory by its
 * choice of ids.
 */
const DENSE = 8_192;
