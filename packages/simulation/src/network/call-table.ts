// A map of the calls of one end by id. It is an array of slots, because a session numbers its calls
// by slots: a new call reuses the slot of an ended one.

import { slotOfCall } from '@trunkline/transport-core/internal';

/** Entries by call id. */
export class CallTable<T extends { readonly id: number }> {
  #slots: (T | undefined)[] = [];
  #others: Map<number, T> | undefined;

  get(id: number): T | undefined {
    const entry = this.#slots[slotOfCall(id)];
    return entry !== undefined && entry.id === id ? entry : this.#others?.get(id);
  }

  set(entry: T): void {
    const slot = slotOfCall(entry.id);
    // Grown with care: most ends have one call at a time, and there may be 100,000 ends.
    const { length } = this.#slots;
    if (slot >= length)
      this.#slots = [
        ...this.#slots,
        ...new Array<undefined>(slot === 0 ? 1 : 2 * slot + 1 - length).fill(undefined),
      ];
    this.#slots[slot] = entry;
  }

  /**
   * Adds an entry with an id that no session issued, which would otherwise take the slot of one
   * that a session did.
   */
  setAside(entry: T): void {
    this.#others ??= new Map();
    this.#others.set(entry.id, entry);
  }
}
