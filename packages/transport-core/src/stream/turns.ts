// Shares the processor among the connections of one transport, by the work units that their peers cost (session/work.ts): a connection
// that has spent its units is read no further until the others were served.

import type { Clock, Timer } from '../clock.ts';
import { SCARCE, SHARE, TURN } from '../session/work.ts';

/** A connection that waits for its next turn. */
export interface Waiting {
  /** It may spend `Turns.allowance` units again. */
  goOn(): void;
}

/**
 * Counts what all connections cost in a turn. The turn ends when the event loop has read the input that waited; it is ended by us only
 * when much was spent, so a transport with little to do pays an addition for each chunk. Then connections that wait go on in the order
 * in which they came, as many as one turn has units for.
 */
export class Turns {
  /** Counts up with each turn. */
  number = 0;
  /** Units that one connection may spend in this turn. */
  allowance = TURN;
  #spent = 0;
  /** The end of this turn is asked for. */
  #ending = false;
  #timer: Timer = undefined;
  readonly #waiting = new Set<Waiting>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection has spent so many units. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent < TURN / 2) return;
    this.#end();
    if (this.#spent >= SCARCE) this.allowance = SHARE;
  }

  /** A connection that has spent its units goes on in a later turn. */
  wait(connection: Waiting): void {
    this.#waiting.add(connection);
    this.#end();
  }

  /** A connection that is over waits no more. */
  leave(connection: Waiting): void {
    this.#waiting.delete(connection);
  }

  /** The transport is closed: no timer is left. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    const { turn } = this.#clock;
    if (turn === undefined) this.#timer = this.#clock.setTimeout(this.#next, 0);
    else turn(this.#next);
  }

  readonly #next = (): void => {
    this.#ending = false;
    this.number++;
    this.#spent = 0;
    this.allowance = TURN;
    let left = this.#waiting.size;
    for (const connection of this.#waiting) {
      if (left-- === 0 || this.#spent >= TURN) break;
      this.#waiting.delete(connection);
      connection.goOn();
    }
    if (this.#waiting.size > 0) this.#end();
  };
}
