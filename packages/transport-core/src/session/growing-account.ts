// The accounts of streams and of long responses, whose windows grow with the line
// (docs/wire-protocol.md §6). Only the pipe measures the line, and these accounts follow it: their
// credit comes back no sooner than the pipe's, so they need at least as large a window.

import { type Creditor, ReceiveAccount } from './receive-account.ts';
import type { SessionContext } from './session-context.ts';

/** The receiver's side of an account whose window follows the pipe's. */
export class GrowingAccount extends ReceiveAccount {
  /** Bytes granted to the sender beyond the start. */
  #more = 0;
  #over = false;
  readonly #context: SessionContext;
  readonly #least: number;
  readonly #most: number;

  constructor(
    context: SessionContext,
    creditor: Creditor,
    account: number,
    start: number,
    most: number,
    id = 0,
  ) {
    super(creditor, account, start, id);
    this.#context = context;
    this.#least = start;
    this.#most = most - start;
  }

  /**
   * Gives back the cost of a unit that was used: more if the window grows, less if it shrinks. The
   * window grows with the pipe, by at most GROWTH times what is used, while `limits.memory` has
   * room. It is larger than the pipe's by one unit: a unit is charged when its first packet leaves,
   * and given back after its last. The window shrinks if there is no room, and if a reader lags.
   * @param unread bytes that still wait for their reader.
   */
  used(cost: number, unread: number): void {
    const { grown, memory } = this.#context;
    const isLarge = cost > this.#least >> 1;
    if (this.#over || (grown === 0 && this.#more === 0 && !isLarge))
      return this.giveBack(cost, false);
    const backlog = Math.max(unread - this.#least, 0);
    const room = memory.limit / 2 - memory.used - memory.lent;
    const wanted = Math.max(
      Math.min(
        unread > cost ? grown : grown + cost,
        this.#most,
        this.#more + Math.min(room, backlog > 0 ? -backlog : cost * GROWTH),
      ),
      0,
    );
    const change = Math.max(Math.round(wanted) - this.#more, -cost);
    this.#more += change;
    memory.lent += change;
    this.giveBack(cost + change, false);
  }

  /**
   * Called when the stream or its connection is over: releases the memory that the window had
   * borrowed.
   */
  override end(): void {
    super.end();
    this.#over = true;
    this.#context.memory.lent -= this.#more;
    this.#more = 0;
  }
}

/** Bytes by which the window grows for each byte that is used: it can triple in a round trip. */
const GROWTH = 2;
