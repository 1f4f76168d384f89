// Sends another message after the last one, for libraries in which the last message may be stuck.

import { type ClockTimer, systemClock } from '@trunkline/transport-core';

/** The text that wakes a library. The end that receives it only counts it toward a flood. */
export const WAKE = 'wake';

/**
 * Sends {@link WAKE} 250 to 500 ms after the last message of this end, and three times more, after
 * 500, 1,000 and 2,000 ms. On a busy machine, in about one of a hundred dials, node-datachannel
 * holds a message back until the next one is sent. The cause is not known.
 */
export class WakeUp {
  readonly #send: (text: string) => void;
  #timer: ClockTimer | undefined;
  /** True if a message was sent since the timer was set. */
  #hasSent = false;
  #delay = FIRST_DELAY;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** Call it after each message but WAKE. */
  sent(): void {
    this.#hasSent = true;
    if (this.#timer !== undefined) return;
    this.#delay = FIRST_DELAY;
    this.#schedule();
  }

  /** Stops until `sent` is called again. */
  stop(): void {
    systemClock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Uses real time, because the threads of the library know no other clock. */
  #schedule(): void {
    this.#timer = systemClock.setTimeout(() => {
      this.#timer = undefined;
      if (this.#hasSent) this.#delay = FIRST_DELAY;
      else {
        this.#delay *= 2;
        this.#send(WAKE);
      }
      this.#hasSent = false;
      if (this.#delay <= LAST_DELAY) this.#schedule();
    }, this.#delay);
  }
}

/** The shortest and the longest wait, in milliseconds. */
const FIRST_DELAY = 250;
const LAST_DELAY = 2_000;
