// Shares the processor among the connections of one transport, by the work units that their peers
// cost (session/work.ts). A connection that has spent its units is not read further until the
// others have been served.

import type { Clock, ClockTimer } from '../clock.ts';
import type { InCall } from '../session/in-call.ts';
import { CANCEL_TOLD, SCARCE, SHARE, TURN } from '../session/session-context.ts';

/** A connection that waits for its next turn. */
export interface ScheduledReader {
  /** Called when the connection may spend `ReadScheduler.allowance` units again. */
  goOn(): void;
}

/**
 * Counts the work units that all connections use in a turn. A turn ends when the event loop has
 * read the waiting input. The end is requested only when many units were spent, so on an idle
 * transport, counting a chunk costs only an addition. At the end of a turn, waiting connections
 * continue in the order in which they began to wait, as many as one turn has units for. They share
 * these units, so that a connection that seldom waits is not delayed by a whole turn of every other
 * connection.
 */
export class ReadScheduler {
  /** The number of the current turn. */
  number = 0;
  /** The units that one connection may spend in this turn. */
  allowance = TURN;
  #spent = 0;
  /** True if the end of this turn has been requested. */
  #ending = false;
  #timer: ClockTimer = undefined;
  readonly #waiting = new Set<ScheduledReader>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records units that a connection has spent. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent < TURN / 2) return;
    this.endTurn();
    if (this.#spent >= SCARCE) this.allowance = SHARE;
  }

  /** Makes a connection that has spent its units wait for a later turn. */
  wait(connection: ScheduledReader): void {
    this.#waiting.add(connection);
    this.endTurn();
  }

  /** Removes a connection that has ended. */
  leave(connection: ScheduledReader): void {
    this.#waiting.delete(connection);
  }

  /** Cancels the timer and forgets waiting connections, because the transport is closed. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** Ends the turn as soon as the event loop has read the input that waits. */
  endTurn(): void {
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
    let left = this.#waiting.size;
    this.allowance = left < 2 ? TURN : Math.max(SHARE, Math.floor(TURN / left));
    for (const connection of this.#waiting) {
      if (left-- === 0 || this.#spent >= TURN) break;
      this.#waiting.delete(connection);
      connection.goOn();
    }
    this.allowance = this.#spent >= SCARCE ? SHARE : TURN;
    if (this.#waiting.size > 0) this.endTurn();
  };
}

// Notifies handlers that their caller is gone. When a connection with thousands of calls ends, each
// handler with a signal costs as much as hundreds of frames, so handlers are notified over several
// turns.

/**
 * Owns the calls of one transport that have lost their connection and whose handlers were not
 * notified yet. Their number is bounded by the number of calls that may be handled at the same
 * time.
 */
export class AbortQueue implements ScheduledReader {
  #calls: InCall[] = [];
  /** The index of the first call in `#calls` whose handler was not notified. */
  #next = 0;
  readonly #scheduler: ReadScheduler;

  constructor(scheduler: ReadScheduler) {
    this.#scheduler = scheduler;
  }

  /** Notifies the handlers of these calls: now, or in later turns if there are many. */
  add(calls: readonly InCall[]): void {
    if (calls.length === 0) return;
    const isIdle = this.#calls.length === 0;
    for (const call of calls) this.#calls.push(call);
    if (isIdle) this.goOn();
  }

  /** Notifies as many handlers as one turn has units for. */
  goOn(): void {
    const end = Math.min(this.#next + TURN / CANCEL_TOLD, this.#calls.length);
    this.#scheduler.spend((end - this.#next) * CANCEL_TOLD);
    while (this.#next < end) tell(this.#calls[this.#next++]!);
    if (end < this.#calls.length) return this.#scheduler.wait(this);
    this.#calls = [];
    this.#next = 0;
  }

  /** Notifies all remaining handlers immediately, because the transport is closed. */
  finish(): void {
    while (this.#calls.length > 0) this.goOn();
    this.#scheduler.leave(this);
  }
}

/** Notifies a handler, unless it has already ended. */
function tell(call: InCall): void {
  if (call.running !== 0) call.tell();
}
