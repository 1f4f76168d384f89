// What belongs to the calls of one end, by id. A session gives its ids by slots: a new call takes the place of an ended one.

export class IdMap<T extends { readonly id: number }> {
  #slots: (T | undefined)[] = [];
  #others: Map<number, T> | undefined;

  get(id: number): T | undefined {
    const entry = this.#slots[slotOf(id)];
    return entry !== undefined && entry.id === id ? entry : this.#others?.get(id);
  }

  set(entry: T): void {
    const slot = slotOf(entry.id);
    // Most ends have one call at a time, and there may be 100,000 ends.
    const { length } = this.#slots;
    if (slot >= length) this.#slots = [...this.#slots, ...new Array<undefined>(slot === 0 ? 1 : 2 * slot + 1 - length).fill(undefined)];
    this.#slots[slot] = entry;
  }

  /** For ids that no session gave, which would take a slot from one that it did. */
  setAside(entry: T): void {
    this.#others ??= new Map();
    this.#others.set(entry.id, entry);
  }
}

/** As transport-core's sessions number them: a generation, a slot of 16 bits, a parity. */
function slotOf(id: number): number {
  return (id >>> 1) & 0xffff;
}
