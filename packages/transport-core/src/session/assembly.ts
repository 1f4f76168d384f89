// Puts the packets of an incoming long message together in one buffer. Memory accounts are charged
// with the bytes that have arrived, not with the size that was announced.

import type { List, ListEntry } from '../list.ts';
import { EMPTY, type Frame } from '../wire/frame.ts';
import { longCost } from './incoming-packets.ts';
import type { SessionContext, Unfinished } from './session-context.ts';

/** The call that a long message belongs to; it is notified when the message is given up. */
export interface AssemblyOwner {
  /** Called when there is no room for the rest, so the message must be dropped. */
  refuse(): void;
  /**
   * Called when no packet has come for STALLED milliseconds. An owner without this method checks
   * for that itself.
   */
  stopped?(): void;
}

export class Assembly implements Unfinished {
  // Links of the list of incomplete messages of the connection.
  list: List<ListEntry> | undefined = undefined;
  before: ListEntry | undefined = undefined;
  after: ListEntry | undefined = undefined;
  readonly size: number;
  /** The charge to its account, given back when the message is used or discarded. */
  readonly cost: number;
  /** The message once it is complete; empty if the packets are only counted. */
  buffer: Uint8Array;
  got: number;
  /** The time at which the last packet arrived. */
  last: number;
  readonly #owner: AssemblyOwner;
  readonly #context: SessionContext;
  #isKept: boolean;
  /** The memory into which the next packet is being read. */
  #room: Uint8Array | undefined = undefined;

  /**
   * Begins a message with its first packet, whose size was checked.
   * @param keep false if the message is no longer wanted: its packets are counted and dropped.
   */
  constructor(context: SessionContext, frame: Frame, keep: boolean, owner: AssemblyOwner) {
    this.#context = context;
    this.size = frame.size;
    this.cost = longCost(frame);
    this.#isKept = keep;
    this.#owner = owner;
    this.buffer = EMPTY;
    this.got = frame.length;
    this.last = context.now;
    if (!keep) return;
    this.buffer = context.allocate(this.#capacity(this.got));
    this.buffer.set(frame.payload);
    context.begins(this, this.got, this.buffer.length - this.got);
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

  /**
   * Returns the memory for the next packet if a packet of this length fits and is kept. Bytes read
   * there need not be copied.
   */
  room(length: number): Uint8Array | undefined {
    const isFit = this.#isKept && length > 0 && this.got + length <= this.size;
    if (isFit) this.#reach(this.got + length);
    this.#room = isFit ? this.buffer.subarray(this.got, this.got + length) : undefined;
    return this.#room;
  }

  /**
   * Adds a packet. Returns false if it exceeds the announced size, or if it is not the last one and
   * not full.
   */
  add(packet: Uint8Array): boolean {
    const end = this.got + packet.length;
    if (
      packet.length === 0 ||
      end > this.size ||
      (end < this.size && packet.length !== this.#context.terms.packet)
    )
      return false;
    if (this.#isKept) {
      // Compared by identity, because asking an array for its memory is a call into the engine.
      if (packet !== this.#room) {
        this.#reach(end);
        this.buffer.set(packet, this.got);
      }
      this.#context.comes(packet.length);
    }
    this.#room = undefined;
    this.got = end;
    this.last = this.#context.now;
    return true;
  }

  /** Gives up the memory charge, because the bytes were handed over or dropped. */
  release(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#context.ends(this, this.got, this.buffer.length - this.got);
  }

  /** Drops what has arrived; packets that still come are only counted. */
  drop(): void {
    this.release();
    this.buffer = EMPTY;
  }

  #reach(end: number): void {
    if (end > this.buffer.length) this.#grow(end);
  }

  #grow(end: number): void {
    const { memory } = this.#context;
    const before = this.buffer;
    memory.ahead -= before.length - this.got;
    this.buffer = this.#context.allocate(this.#capacity(end));
    this.buffer.set(before.subarray(0, this.got));
    memory.ahead += this.buffer.length - this.got;
  }

  /**
   * Returns how much to allocate when `needed` bytes have arrived: the whole message as long as the
   * transport has allocated little memory ahead of arrival, otherwise twice the bytes that are
   * there. (Pages that are never written cost no memory, but the garbage collector counts them, and
   * not every system overcommits.)
   */
  #capacity(needed: number): number {
    const { memory } = this.#context;
    return memory.ahead + this.size - needed <= memory.maxAhead
      ? this.size
      : Math.min(this.size, needed * 2);
  }
}

/**
 * Milliseconds without a packet after which an incomplete message is given up, if nothing else long
 * arrives on the connection.
 */
export const STALLED = 10_000;
