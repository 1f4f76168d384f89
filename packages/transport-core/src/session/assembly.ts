// A long message on its way in: its packets are put together in one buffer. What has come is charged, not what was announced.

import type { Entry, List } from '../list.ts';
import { EMPTY } from '../wire/frame.ts';
import type { Link, Unfinished } from './link.ts';

/** Whose message it is: told when nothing comes of it any more. */
export interface Owner {
  /** There is no room for the rest: it is to be dropped. */
  refuse(): void;
  /** No packet has come for STALLED milliseconds. An owner without this looks itself. */
  stopped?(): void;
}

export class Assembly implements Unfinished {
  // Its place among those of its connection.
  list: List<Entry> | undefined = undefined;
  before: Entry | undefined = undefined;
  after: Entry | undefined = undefined;
  readonly kind: number;
  readonly size: number;
  /** What it cost its account, to be given back when it is used or discarded. */
  readonly cost: number;
  /** The message, once it is complete; empty if it is only counted. */
  buffer: Uint8Array;
  got: number;
  /** When its last packet came. */
  last: number;
  readonly #owner: Owner;
  readonly #link: Link;
  #isKept: boolean;
  /** Where the packet that comes is being read. */
  #room: Uint8Array | undefined = undefined;

  /**
   * The size was checked before.
   * @param keep false: nobody wants it any more, its packets are counted and dropped.
   */
  constructor(link: Link, kind: number, size: number, cost: number, first: Uint8Array, keep: boolean, owner: Owner) {
    this.#link = link;
    this.kind = kind;
    this.size = size;
    this.cost = cost;
    this.#isKept = keep;
    this.#owner = owner;
    this.buffer = EMPTY;
    this.got = first.length;
    this.last = link.now;
    if (!keep) return;
    this.buffer = link.allocate(this.#capacity(first.length));
    this.buffer.set(first);
    link.begins(this, first.length, this.buffer.length - first.length);
  }

  refuse(): void {
    this.#owner.refuse();
  }

  stopped(): void {
    this.#owner.stopped?.();
  }

  get complete(): boolean {
    return this.got === this.size;
  }

  /** Where the next packet belongs, if it is of this size and kept: what is read there need not be copied. */
  room(length: number): Uint8Array | undefined {
    const isFit = this.#isKept && length > 0 && this.got + length <= this.size;
    if (isFit) this.#reach(this.got + length);
    this.#room = isFit ? this.buffer.subarray(this.got, this.got + length) : undefined;
    return this.#room;
  }

  /** One packet more. False: it breaks the sum, or one that is not the last is not full. */
  add(packet: Uint8Array): boolean {
    const end = this.got + packet.length;
    if (packet.length === 0 || end > this.size || (end < this.size && packet.length !== this.#link.terms.packet)) return false;
    if (this.#isKept) {
      // By identity: asking an array for its memory is a call of the engine's.
      if (packet !== this.#room) {
        this.#reach(end);
        this.buffer.set(packet, this.got);
      }
      this.#link.comes(packet.length);
    }
    this.#room = undefined;
    this.got = end;
    this.last = this.#link.now;
    return true;
  }

  /** Its bytes are its own no more: handed over, or dropped. */
  release(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#link.ends(this, this.got, this.buffer.length - this.got);
  }

  /** Nobody wants it any more: what has come is dropped, and what still comes is only counted. */
  drop(): void {
    this.release();
    this.buffer = EMPTY;
  }

  #reach(end: number): void {
    if (end > this.buffer.length) this.#grow(end);
  }

  #grow(end: number): void {
    const { memory } = this.#link;
    const before = this.buffer;
    memory.ahead -= before.length - this.got;
    this.buffer = this.#link.allocate(this.#capacity(end));
    this.buffer.set(before.subarray(0, this.got));
    memory.ahead += this.buffer.length - this.got;
  }

  /**
   * How much to allocate where `needed` bytes have come: the whole, as long as the transport has allocated little for what has not come;
   * otherwise twice what is there. (Pages that nobody writes cost no memory, but the collector counts them, and not every system lends.)
   */
  #capacity(needed: number): number {
    const { memory } = this.#link;
    return memory.ahead + this.size - needed <= memory.maxAhead ? this.size : Math.min(this.size, needed * 2);
  }
}

/** A begun message without a packet for so long is given up, where nothing else long comes in. */
export const STALLED = 10_000;
