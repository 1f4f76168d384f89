// The tables of the peer's calls: PeerIds by their id on the wire, Deadlines by time, and
// EarlyCancels, the calls whose CANCEL has arrived already.

import { cancelsAmong, cancelsIn } from '../wire/decoder.ts';
import { type Frame, slotOf } from '../wire/frame.ts';
import type { InCall } from './incoming-calls.ts';

// Deadlines orders calls by the time at which something is due, so that a wake-up costs nothing for
// the other calls. It is a binary heap: most times are added in ascending order, and then a new
// entry stays in its place.

/**
 * A heap of entries by time, from which any entry can be removed. An entry can be in one heap at a
 * time.
 */
export class Deadlines<T extends Pick<InCall, 'place'>> {
  readonly #times: number[] = [];
  readonly #entries: T[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** The earliest time; Infinity if there is none. */
  get next(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The entry with the earliest time. */
  get first(): T | undefined {
    return this.#entries[0];
  }

  /** Adds an entry; one that is in the heap keeps the earlier of its two times. */
  add(entry: T, time: number): void {
    const at = entry.place < 0 ? this.#times.length : entry.place;
    if (entry.place < 0 || time < this.#times[at]!) this.#raise(entry, time, at);
  }

  /** Removes an entry, if it is in the heap. */
  remove(entry: T): void {
    const at = entry.place;
    if (at < 0) return;
    entry.place = -1;
    const time = this.#times.pop()!;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    if (at > 0 && this.#times[(at - 1) >> 1]! > time) this.#raise(last, time, at);
    else this.#lower(last, time, at);
  }

  /** Puts an entry at the free place `at`, or nearer to the first one. */
  #raise(entry: T, time: number, at: number): void {
    const times = this.#times;
    for (let place = at; ; ) {
      const parent = (place - 1) >> 1;
      if (place === 0 || times[parent]! <= time) return this.#put(entry, time, place);
      this.#put(this.#entries[parent]!, times[parent]!, place);
      place = parent;
    }
  }

  /** Puts an entry at the free place `at`, or farther from the first one. */
  #lower(entry: T, time: number, at: number): void {
    const times = this.#times;
    for (let place = at; ; ) {
      let child = place * 2 + 1;
      if (child + 1 < times.length && times[child + 1]! < times[child]!) child++;
      if (child >= times.length || times[child]! >= time) return this.#put(entry, time, place);
      this.#put(this.#entries[child]!, times[child]!, place);
      place = child;
    }
  }

  #put(entry: T, time: number, place: number): void {
    this.#times[place] = time;
    this.#entries[place] = entry;
    entry.place = place;
  }
}

// The peer's calls by their id on the wire. The peer may choose any ids of its parity. The callee
// enters and removes its calls.

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

  clear(): void {
    this.dense.length = this.size = 0;
    this.#rest = undefined;
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

// EarlyCancels holds back requests whose CANCEL has arrived in the same chunk, so that their
// handlers never start (docs/wire-protocol.md §4).
//
// Owns the requests that it holds back until the chunk has been read. `Session` tells it what it
// reads, and `Callee` asks it about each request and each CANCEL. It only guesses from the bytes: a
// request whose CANCEL does not come after all is delivered at the end of the chunk.

/** The requests of a chunk that are canceled in the same chunk. */
export class EarlyCancels {
  /** The chunk or the batch of frames, until its first request makes a search necessary. */
  #input: Uint8Array | readonly Frame[] | undefined = undefined;
  /** The position in the chunk at which its first whole frame begins. */
  #from = 0;
  #ids: Set<number> | undefined = undefined;
  readonly #held = new Set<InCall>();

  /** Begins to read a chunk, whose first whole frame begins at `from`, or a batch of frames. */
  open(input: Uint8Array | readonly Frame[], from: number): void {
    this.#input = input;
    this.#from = from;
  }

  /** Returns true if the call is held back because its CANCEL seems to follow. */
  holds(call: InCall): boolean {
    if (this.#input !== undefined) this.#search(this.#input);
    if (this.#ids?.has(call.id) !== true) return false;
    this.#held.add(call);
    return true;
  }

  /** Drops a call that is canceled. Returns true if it was held back, so nobody has seen it. */
  withdraws(call: InCall): boolean {
    return this.#held.delete(call);
  }

  #search(input: Uint8Array | readonly Frame[]): void {
    this.#input = undefined;
    this.#ids =
      input instanceof Uint8Array ? cancelsIn(input, this.#from) : cancelsAmong(input, this.#from);
  }

  /**
   * Called when the chunk was read, or its rest waits for more work units. If nothing is left to
   * read, the requests that were not canceled are delivered.
   */
  close(isRead: boolean): void {
    this.#input = this.#ids = undefined;
    if (!isRead || this.#held.size === 0) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const call of held) if (call.open) call.channel.mounted!.incoming(call);
  }
}
