// The queue in which messages wait for a reader, a validator or a peer. Its user bounds it.

/** A queue that counts the bytes of its items. */
export class SizedQueue<T extends { readonly size: number }> {
  bytes = 0;
  /**
   * The items, the oldest first. The first `#taken` places are empty, because moving all items up
   * for each that is taken would cost more than the rest of a delivery.
   */
  readonly #items: (T | undefined)[] = [];
  #taken = 0;

  get length(): number {
    return this.#items.length - this.#taken;
  }

  /** The oldest item. */
  get first(): T | undefined {
    return this.#items[this.#taken];
  }

  push(item: T): void {
    this.#items.push(item);
    this.bytes += item.size;
  }

  /** Removes and returns the oldest item. */
  shift(): T | undefined {
    const item = this.first;
    if (item === undefined) return undefined;
    this.#items[this.#taken++] = undefined;
    this.bytes -= item.size;
    if (this.length === 0) this.#items.length = this.#taken = 0;
    else if (this.#taken >= MOVED) {
      this.#items.splice(0, this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  /** Removes and returns the newest item. */
  pop(): T | undefined {
    const item = this.length === 0 ? undefined : this.#items.pop();
    this.bytes -= item?.size ?? 0;
    return item;
  }

  clear(): void {
    this.#items.length = this.#taken = this.bytes = 0;
  }
}

/** Number of empty places after which the items are moved up. */
const MOVED = 1_024;
