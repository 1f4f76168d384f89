// A long message on its way in: its packets are put together in one buffer of the size that its first packet told.

import { EMPTY } from '../wire/frame.ts';
import type { Link } from './link.ts';

export class Assembly {
  readonly kind: number;
  readonly size: number;
  /** What it cost its account, to be given back when it is used or discarded. */
  readonly cost: number;
  /** The message; empty where it is only counted. */
  readonly buffer: Uint8Array;
  got: number;
  /** When its last packet came. */
  last: number;
  readonly #link: Link;
  #held: number;
  /** Where the packet that comes is being read. */
  #room: Uint8Array | undefined = undefined;

  /**
   * The size was checked before: memory is taken here.
   * @param keep false: nobody wants it any more, its packets are counted and dropped.
   */
  constructor(link: Link, kind: number, size: number, cost: number, first: Uint8Array, keep: boolean) {
    this.#link = link;
    this.kind = kind;
    this.size = size;
    this.cost = cost;
    this.#held = keep ? size : 0;
    this.buffer = keep ? link.allocate(size) : EMPTY;
    if (keep) this.buffer.set(first);
    this.got = first.length;
    this.last = link.now;
    link.hold(this.#held);
  }

  get complete(): boolean {
    return this.got === this.size;
  }

  /** Where the next packet belongs, if it is of this size and kept: what is read there need not be copied. */
  room(length: number): Uint8Array | undefined {
    const isFit = this.#held > 0 && length > 0 && this.got + length <= this.size;
    this.#room = isFit ? this.buffer.subarray(this.got, this.got + length) : undefined;
    return this.#room;
  }

  /** One packet more. False: it breaks the sum, or one that is not the last is not full. */
  add(packet: Uint8Array): boolean {
    const end = this.got + packet.length;
    if (packet.length === 0 || end > this.size || (end < this.size && packet.length !== this.#link.terms.packet)) return false;
    // By identity: asking an array for its memory is a call of the engine's.
    if (this.#held > 0 && packet !== this.#room) this.buffer.set(packet, this.got);
    this.#room = undefined;
    this.got = end;
    this.last = this.#link.now;
    return true;
  }

  /** Its bytes are its own no more: handed over, or dropped. */
  release(): void {
    this.#link.free(this.#held);
    this.#held = 0;
  }
}

/** A begun message without a packet for so long is given up, where nothing else long comes in. */
export const STALLED = 10_000;
