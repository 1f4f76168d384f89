// What belongs to the calls of one end, by id. A session gives its ids by slots: a new call takes the place of an ended one.

export class IdMap<T extends { readonly id: number }> {
  readonly #slots: (T | undefined)[] = [];
  #others: Map<number, T> | undefined;

  get(id: number): T | undefined {
    const entry = this.#slots[slotOf(id)];
    return entry !== undefined && entry.id === id ? entry : this.#others?.get(id);
  }

  set(entry: T): void {
    const slot = slotOf(entry.id);
    while (this.#slots.length < slot) this.#slots.push(undefined);
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
