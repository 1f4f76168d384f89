// Addresses that open the page once. A program that starts a browser passes it such an address,
// because other users of the machine can read the arguments of its process.

import type { Clock } from '@trunkline/transport-core';

/** The tickets of one dashboard. */
export class Tickets {
  readonly #clock: Clock;
  readonly #draw: () => string;
  /** The time until which each ticket is valid, oldest first. */
  readonly #open = new Map<string, number>();

  /** @param draw returns a text that nobody can guess. */
  constructor(clock: Clock, draw: () => string) {
    this.#clock = clock;
    this.#draw = draw;
  }

  /**
   * Returns a ticket that can be used once, within a minute. Only the last 16 tickets are valid.
   */
  issue(): string {
    const ticket = this.#draw();
    this.#open.set(ticket, this.#clock.now() + VALID);
    if (this.#open.size > MOST) this.#open.delete(this.#open.keys().next().value!);
    return ticket;
  }

  /** Returns true if a ticket is valid, and makes it invalid. */
  redeem(ticket: string): boolean {
    const until = this.#open.get(ticket) ?? Number.NEGATIVE_INFINITY;
    this.#open.delete(ticket);
    return this.#clock.now() < until;
  }
}

/** The time for which a ticket is valid, in milliseconds. */
const VALID = 60_000;
const MOST = 16;
