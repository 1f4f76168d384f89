// The receiver's side of a credit account: what the sender may still spend, and what is owed to it
// (docs/wire-protocol.md §6).

import { Account, type FrameWriter } from '../wire/frame.ts';

/** Queues an account that owes credit. */
export interface Creditor {
  credit(receiving: ReceiveAccount): void;
  /**
   * Called when an account of a channel begins to hold credit back; its `pay` must be called within
   * 100 ms.
   */
  holds(): void;
}

/**
 * One account on its receiver's side. The credit of units that were used or discarded is given
 * back. Up to a quarter of the account may be held back to save frames, but nothing while a reader
 * waits, and of accounts 2 and 3 nothing for long, because only credit tells their senders that a
 * one-way was taken.
 */
export class ReceiveAccount {
  /** The sender's credit as far as this end knows; never less than the sender's own figure. */
  left: number;
  #owed = 0;
  #queued = false;
  #ended = false;
  readonly #start: number;
  readonly #creditor: Creditor;
  readonly #account: number;
  readonly #id: number;
  readonly #channel: number;
  readonly #isOfChannel: boolean;

  constructor(creditor: Creditor, account: number, start: number, id = 0, channel = 0) {
    this.#creditor = creditor;
    this.#account = account;
    this.#start = this.left = start;
    this.#id = id;
    this.#channel = channel;
    this.#isOfChannel = account === Account.SHORT || account === Account.LONG;
  }

  /** Charges a unit that arrived. Returns false if the account was empty, which is a violation. */
  spend(cost: number): boolean {
    if (this.left <= 0) return false;
    this.left -= cost;
    return true;
  }

  /**
   * Gives back the cost of a unit that was used or discarded.
   * @param eager true if a reader waits for more, so nothing is held back.
   * @param spare credit that the sender has and does not need.
   */
  giveBack(cost: number, eager: boolean, spare = 0): void {
    this.#owed += cost;
    if (eager || this.#owed >= Math.max(this.#start, spare) >> 2) this.pay();
    else if (this.#isOfChannel && this.#owed === cost) this.#creditor.holds();
  }

  /** Pays all credit that is owed, at the next pump. */
  pay(): void {
    if (this.#owed === 0 || this.#queued || this.#ended) return;
    this.#queued = true;
    this.#creditor.credit(this);
  }

  /** Called when the stream is over: nothing more is given back. */
  end(): void {
    this.#ended = true;
  }

  write(writer: FrameWriter): void {
    this.#queued = false;
    if (this.#ended || this.#owed === 0) return;
    this.left += this.#owed;
    writer.credit(this.#account, this.#owed, this.#id, this.#channel);
    this.#owed = 0;
  }
}
