// The credit that one NATS connection may grant to all peers together, in units (`costOf` in
// message.ts). A server disconnects a client if more bytes wait for it than `max_pending` (by
// default 64 MiB) allows. Credit keeps the waiting bytes below that limit.

/** Divides a number of credit units among connections. */
export class CreditPool {
  readonly #size: number;
  #left: number;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  /**
   * Takes the credit of a new connection from the pool and returns it; 0 if less than LEAST_CREDIT
   * is left. The caller gives it back, or passes it to a ReceiveWindow, which does so.
   */
  open(): number {
    if (this.grow(USUAL_CREDIT)) return USUAL_CREDIT;
    if (this.#left < LEAST_CREDIT) return 0;
    this.#left -= LEAST_CREDIT;
    return LEAST_CREDIT;
  }

  /**
   * Takes more credit for a connection; returns false if the pool has none to give. Half of the
   * pool is kept for new connections.
   */
  grow(units: number): boolean {
    if (this.#left - units < this.#size / 2) return false;
    this.#left -= units;
    return true;
  }

  give(units: number): void {
    this.#left += units;
  }
}

/** The credit with which a connection begins as long as half of the pool is left. */
const USUAL_CREDIT = 256 * 1024;
/**
 * The credit with which a connection begins otherwise: enough to send small messages one at a time.
 * Peers refuse less (docs/wire-nats.md), and MOST_FIRST in message.ts depends on it.
 */
export const LEAST_CREDIT = 32 * 1024;
