// The receiver's side of a credit account: what the sender may still spend, and what is owed to it
// (docs/wire-protocol.md §6).
//
// Owns the figures of one account. Its users report the units that arrive and those that are used.
// It queues itself at its creditor when it owes credit. The account of a stream or of long
// responses also counts the growth of its window as lent memory.

import { Account, type FrameWriter } from '../wire/frame.ts';
import type { SessionContext } from './session-context.ts';

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
 * back. Up to a quarter of the account may be held back to save frames; while a reader waits,
 * nothing is held back (`eager`), or little of a large account (`payWaiting`). The accounts of a
 * channel, SHORT and LONG, hold back nothing for long, because only credit tells their senders that
 * a one-way was taken.
 */
export class ReceiveAccount {
  /**
   * The sender's credit as this end knows it: never less than the sender's own figure, and negative
   * after a large unit.
   */
  left: number;
  /** True for the accounts of a channel, SHORT and LONG. */
  readonly isOfChannel: boolean;
  #owed = 0;
  #queued = false;
  #ended = false;
  readonly #start: number;
  readonly #creditor: Creditor;
  readonly #account: number;
  readonly #id: number;
  readonly #channel: number;

  constructor(creditor: Creditor, account: number, start: number, id = 0, channel = 0) {
    this.#creditor = creditor;
    this.#account = account;
    this.#start = this.left = start;
    this.#id = id;
    this.#channel = channel;
    this.isOfChannel = account === Account.SHORT || account === Account.LONG;
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
   * @param spare credit that the sender has beyond the initial credit and does not need; below 2 GiB,
   *   like all credit.
   */
  giveBack(cost: number, eager: boolean, spare = 0): void {
    this.#owed += cost;
    if (eager || this.#owed >= (this.#start + spare) >> 2) this.pay();
    else if (this.isOfChannel && this.#owed === cost) this.#creditor.holds();
  }

  /**
   * Called while a reader waits for more: pays what is owed, unless the account is large and little
   * is owed. The sender's account is then far above 0, so it continues.
   */
  payWaiting(): void {
    if (this.#owed >= (this.#start - USUAL_START) >> 3) this.pay();
  }

  /** Pays all credit that is owed, in the next batch of frames. */
  pay(): void {
    if (this.#owed === 0 || this.#queued || this.#ended) return;
    this.#queued = true;
    this.#creditor.credit(this);
  }

  /** Called when the stream has ended: nothing more is given back. */
  end(): void {
    this.#ended = true;
  }

  /** Called by the creditor when it can write the credit. */
  write(writer: FrameWriter): void {
    this.#queued = false;
    if (this.#ended || this.#owed === 0) return;
    this.left += this.#owed;
    writer.credit(this.#account, this.#owed, this.#id, this.#channel);
    this.#owed = 0;
  }
}

/**
 * Maximum size, in bytes, of an account that holds nothing back while a reader waits; a larger one
 * holds back an eighth of the part above this size.
 */
const USUAL_START = 256 * 1024;

/**
 * The account of a stream or of long responses, whose window grows with the line. Only the pipe,
 * the account of all packets and items, measures the line, and these accounts follow it: their
 * credit comes back no sooner than the pipe's, so they need at least as large a window.
 */
export class GrowingAccount extends ReceiveAccount {
  /** The number of bytes granted to the sender beyond the initial credit. */
  #more = 0;
  #over = false;
  readonly #context: SessionContext;
  readonly #least: number;
  readonly #most: number;

  constructor(
    context: SessionContext,
    creditor: Creditor,
    account: typeof Account.STREAM | typeof Account.REPLY,
    id = 0,
  ) {
    const { reply, replyMax, stream, streamMax } = context.limits.credit;
    const isReply = account === Account.REPLY;
    const start = isReply ? reply : stream;
    super(creditor, account, start, id);
    this.#context = context;
    this.#least = start;
    this.#most = (isReply ? replyMax : streamMax) - start;
  }

  /**
   * Gives back the cost of a unit that was used: more if the window grows, less if it shrinks. The
   * window grows with the pipe, by at most GROWTH times the bytes used, while `limits.memory` has
   * room. The window is larger than the pipe's by one unit, because a unit is charged when its
   * first packet leaves and given back after its last packet. The window shrinks if there is no
   * room, and if a reader lags.
   * @param unread bytes that still wait for their reader.
   */
  used(cost: number, unread: number): void {
    const { grown, memory } = this.#context;
    const isLarge = cost > this.#least >> 1;
    if (this.#over || (grown === 0 && this.#more === 0 && !isLarge))
      return this.giveBack(cost, false);
    const backlog = Math.max(unread - this.#least, 0);
    // Held messages and grown windows share half of `limits.memory` (docs/design.md).
    const room = memory.limit / 2 - memory.used - memory.lent;
    const wanted = Math.max(
      Math.min(
        unread > cost ? grown : grown + cost,
        this.#most,
        this.#more + Math.min(room, backlog > 0 ? -backlog : cost * GROWTH),
      ),
      0,
    );
    // Credit that was granted cannot be taken back, only given back later.
    const change = Math.max(Math.round(wanted) - this.#more, -cost);
    this.#more += change;
    memory.lend(change);
    this.giveBack(cost + change, false);
  }

  /**
   * Called when the stream or its connection has ended: releases the memory that the window had
   * borrowed.
   */
  override end(): void {
    super.end();
    this.#over = true;
    this.#context.memory.lend(-this.#more);
    this.#more = 0;
  }
}

/**
 * Maximum number of bytes by which the window grows for each byte used: it can triple in a round
 * trip.
 */
const GROWTH = 2;
