// Items that came in and wait for their reader: one direction of one call. A reader that stops stops the sender, no one else.

import type { TransportError } from '../errors.ts';
import { Account } from '../wire/frame.ts';
import type { Assembly } from './assembly.ts';
import { Growing } from './growing.ts';
import type { Link } from './link.ts';
import type { Creditor } from './receiving.ts';

export class InStream {
  readonly account: Growing;
  /** The long item that is coming in. */
  assembly: Assembly | undefined = undefined;
  /** The stream is whole, or it broke. */
  ended = false;
  error: TransportError | undefined = undefined;
  /** How many items came, and when the last one did; before the first one, when the call was opened. */
  came = 0;
  heard: number;
  /** Called when there is something to take, or the end came: a reader waits. */
  #waiter: (() => void) | undefined = undefined;
  #items: { payload: Uint8Array; cost: number }[] = [];
  #head = 0;
  /** The cost of the items that are here. */
  #unread = 0;
  #discarding = false;
  #released = false;
  readonly #link: Link;

  constructor(link: Link, creditor: Creditor, id: number) {
    this.#link = link;
    this.heard = link.now;
    const { stream, streamMax } = link.limits.credit;
    this.account = new Growing(link, creditor, Account.STREAM, stream, streamMax, id);
  }

  /** An item is whole. */
  push(payload: Uint8Array, cost: number): void {
    if (this.#discarding) return this.account.giveBack(cost, false);
    this.came++;
    this.heard = this.#link.now;
    this.#link.hold(cost);
    this.#items.push({ payload, cost });
    this.#unread += cost;
    this.#notify();
  }

  /** The next item, undefined where none is here; its credit goes back. */
  take(): Uint8Array | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const { payload, cost } = this.#items[this.#head++]!;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    if (!this.#released) this.#link.free(cost);
    this.#unread -= cost;
    this.account.used(cost, this.#unread);
    return payload;
  }

  /** Runs `waiter` once, when there is something to take or the end has come; nothing is held back from the sender meanwhile. */
  wait(waiter: () => void): void {
    this.#waiter = waiter;
    this.account.pay();
  }

  /** No more will come. Items that are here can still be taken, unless it broke. */
  end(error: TransportError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    this.account.end();
    this.dropAssembly();
    this.#notify();
  }

  /** Its call is over: what is still here is its reader's, who may never come, and counts no more as held by the connection. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.dropAssembly();
    for (let i = this.#head; i < this.#items.length; i++) this.#link.free(this.#items[i]!.cost);
  }

  /** Its reader has left: what is here and what still comes is dropped. */
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
