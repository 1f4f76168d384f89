// The receiver's side of an account: what the sender may still spend, and what is owed to it (docs/wire-protocol.md §6).

import { Account, type FrameWriter } from '../wire/frame.ts';

/** Where an account announces that it owes credit. */
export interface Creditor {
  credit(receiving: Receiving): void;
  /** An account of a channel begins to hold credit back: it is to `pay` within 100 ms. */
  holds(): void;
}

/**
 * One account as its receiver keeps it. What was used or discarded is given back; up to a quarter of the account may be held back to
 * save frames, but nothing while a reader waits, and of accounts 2 and 3 nothing for long: their senders learn by credit alone that a
 * one-way was taken.
 */
export class Receiving {
  /** What the sender has as far as we know: never less than it knows itself. */
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

  /** A unit came. False: the account was empty, which is a violation. */
  spend(cost: number): boolean {
    if (this.left <= 0) return false;
    this.left -= cost;
    return true;
  }

  /** The unit was used or discarded. `eager`: a reader waits for more, so nothing is held back. `spare`: what the sender has and does not need. */
  giveBack(cost: number, eager: boolean, spare = 0): void {
    this.#owed += cost;
    if (eager || this.#owed >= Math.max(this.#start, spare) >> 2) this.pay();
    else if (this.#isOfChannel && this.#owed === cost) this.#creditor.holds();
  }

  /** Pays all that is owed, at the next pump. */
  pay(): void {
    if (this.#owed === 0 || this.#queued || this.#ended) return;
    this.#queued = true;
    this.#creditor.credit(this);
  }

  /** Its stream is over: nothing more is given back. */
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
