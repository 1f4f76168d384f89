// Sends a message after the last one, for libraries in which the last one may be stuck.

import { systemClock, type Timer } from '@trunkline/transport-core';

/** The text that wakes a library; the end that receives it ignores it. */
export const WAKE = 'wake';

/**
 * Sends {@link WAKE} 250 ms after the last message of this end, and once more after another 250 ms.
 * node-datachannel leaves a message in its queue if one of its threads is handling a packet at that
 * moment: that thread should send it afterwards, but may be just past that point. On a busy machine
 * this happens in one of some thousand dials, and the message is sent with the next one.
 */
export class WakeUp {
  readonly #send: (text: string) => void;
  #timer: Timer | undefined;
  /** True if a message was sent since the timer was set. */
  #hasSent = false;
  #repeats = 0;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** Call it after each message. */
  sent(): void {
    this.#hasSent = true;
    if (this.#timer === undefined) this.#schedule();
  }

  stop(): void {
    systemClock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** In real time, because the threads of the library know no other clock. */
  #schedule(): void {
    this.#timer = systemClock.setTimeout(() => {
      this.#timer = undefined;
      if (this.#hasSent) this.#repeats = REPEATS;
      else {
        this.#repeats--;
        this.#send(WAKE);
      }
      this.#hasSent = false;
      if (this.#repeats > 0) this.#schedule();
    }, DELAY);
  }
}

const DELAY = 250;
const REPEATS = 2;
