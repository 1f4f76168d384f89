// The items of one stream that can be sent again, from the oldest kept item to the newest.

/** The limits of a ring. */
export interface RingLimits {
  readonly items: number;
  /**
   * Maximum number of bytes in all items; the newest item is kept even if it alone exceeds this.
   */
  readonly bytes: number;
}

interface Kept<Item> {
  readonly item: Item;
  readonly size: number;
  readonly at: number;
}

/**
 * A bounded queue of items, which are numbered from 0. When the queue is full, the oldest items are
 * dropped.
 */
export class Ring<Item> {
  /** The offset of the oldest kept item; equal to `next` if no item is kept. */
  first = 0;
  bytes = 0;
  readonly #limits: RingLimits;
  /** The item with the offset `first` is at the index `#head`; earlier places are empty. */
  #items: (Kept<Item> | undefined)[] = [];
  #head = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** The offset that the next item gets. */
  get next(): number {
    return this.first + this.length;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The time at which the oldest item was added; undefined if the ring is empty. */
  get oldest(): number | undefined {
    return this.#items[this.#head]?.at;
  }

  /** Adds an item, and drops the oldest ones beyond the limits. */
  append(item: Item, size: number, now: number): void {
    this.#items.push({ item, size, at: now });
    this.bytes += size;
    const { items, bytes } = this.#limits;
    while (this.length > items || (this.bytes > bytes && this.length > 1)) this.drop();
  }

  /** Returns the item at an offset; undefined if the item is not kept. */
  at(offset: number): { readonly item: Item } | undefined {
    return offset < this.first ? undefined : this.#items[this.#head + offset - this.first];
  }

  /** Drops the items before `offset` that were added at `time` or earlier. */
  dropUntil(time: number, offset: number): void {
    while (this.first < offset && (this.oldest ?? Number.POSITIVE_INFINITY) <= time) this.drop();
  }

  /** Drops the oldest item. There must be one. */
  drop(): void {
    this.bytes -= this.#items[this.#head]!.size;
    this.#items[this.#head++] = undefined;
    this.first++;
    // Removing empty places in bulk makes a drop cost constant time on average.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
