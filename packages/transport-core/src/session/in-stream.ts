// Incoming items of one direction of one call, which wait for their reader. A reader that stops
// taking items stops its own sender and nothing else.

import type { TransportError } from '../errors.ts';
import { Account, type Frame } from '../wire/frame.ts';
import { Assembly, type AssemblyOwner } from './assembly.ts';
import { GrowingAccount } from './growing-account.ts';
import { type IncomingPackets, longCost } from './incoming-packets.ts';
import type { Creditor } from './receive-account.ts';
import type { SessionContext } from './session-context.ts';

export class InStream {
  readonly account: GrowingAccount;
  /** The long item that is arriving. */
  assembly: Assembly | undefined = undefined;
  /** True once the stream is complete or broken; `error` is set if it is broken. */
  ended = false;
  error: TransportError | undefined = undefined;
  /**
   * The number of items that arrived, and the time of the last one (before the first, the time at
   * which the call was opened).
   */
  came = 0;
  heard: number;
  /** Called when there is an item to take or the stream has ended; set while a reader waits. */
  #waiter: (() => void) | undefined = undefined;
  #items: { payload: Uint8Array; cost: number }[] = [];
  #head = 0;
  /** The total cost of the items that were not taken yet. */
  #unread = 0;
  #discarding = false;
  #released = false;
  readonly #context: SessionContext;

  constructor(context: SessionContext, creditor: Creditor, id: number) {
    this.#context = context;
    this.heard = context.now;
    const { stream, streamMax } = context.limits.credit;
    this.account = new GrowingAccount(context, creditor, Account.STREAM, stream, streamMax, id);
  }

  /**
   * Handles an ITEM: a short one, or the first packet of a long one.
   * @param keep false if its reader is gone.
   * @param owner notified if a long item is given up.
   */
  receive(frame: Frame, packets: IncomingPackets, keep: boolean, owner: AssemblyOwner): void {
    const context = this.#context;
    const { item } = context.limits;
    if (this.assembly !== undefined)
      return context.violation(
        'malformed',
        `ITEM of call ${frame.id} in the middle of another item`,
      );
    if (frame.size > 0) {
      if (!packets.long(frame, item, 'limits.item', this.account)) return;
      this.assembly = new Assembly(context, frame, keep, owner);
      return context.makeRoom();
    }
    if (!packets.short(frame)) return;
    if (frame.length > item)
      return context.violation(
        'too_large',
        `an item of ${frame.length} bytes is above our limits.item, ${item}`,
      );
    const cost = longCost(frame);
    if (!this.account.spend(cost))
      return context.violation(
        'malformed',
        `an item of call ${frame.id} arrived without credit of its stream`,
      );
    if (!packets.packet(frame)) return;
    if (keep) this.push(packets.keep(frame), cost);
    else this.account.giveBack(cost, false);
  }

  /** Handles a further packet of the long item that is arriving. */
  receivePart(frame: Frame): void {
    const assembly = this.assembly!;
    if (!assembly.add(frame.payload))
      return this.#context.violation(
        'malformed',
        `the packets of an item of call ${frame.id} do not match its declared size`,
      );
    if (!assembly.complete) return this.#context.makeRoom();
    this.dropAssembly();
    if (assembly.buffer.length === assembly.size) this.push(assembly.buffer, assembly.cost);
    else this.account.giveBack(assembly.cost, false);
  }

  /** Adds a complete item. */
  push(payload: Uint8Array, cost: number): void {
    if (this.#discarding) return this.account.giveBack(cost, false);
    this.came++;
    this.heard = this.#context.now;
    this.#context.hold(cost);
    this.#items.push({ payload, cost });
    this.#unread += cost;
    this.#notify();
  }

  /** Takes the next item and gives its credit back. Returns undefined if there is none. */
  take(): Uint8Array | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const { payload, cost } = this.#items[this.#head++]!;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    if (!this.#released) this.#context.free(cost);
    this.#unread -= cost;
    this.account.used(cost, this.#unread);
    return payload;
  }

  /**
   * Calls `waiter` once, when there is an item to take or the stream has ended. Credit that was
   * held back is paid, so the sender can continue.
   */
  wait(waiter: () => void): void {
    this.#waiter = waiter;
    this.account.pay();
  }

  /** Ends the stream. Items that have arrived can still be taken, unless it ended with an error. */
  end(error: TransportError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.account.end();
    this.dropAssembly();
    this.#notify();
  }

  /**
   * Called when the call is over. The remaining items belong to the reader, which may never take
   * them, and no longer count as held by the connection.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.dropAssembly();
    for (let i = this.#head; i < this.#items.length; i++) this.#context.free(this.#items[i]!.cost);
  }

  /** Called when the reader has left: items that are here or still arrive are dropped. */
  discard(): void {
    if (this.#discarding) return;
    this.#discarding = true;
    while (this.take() !== undefined);
  }

  dropAssembly(): void {
    this.assembly?.release();
    this.assembly = undefined;
  }

  #notify(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.();
  }
}
