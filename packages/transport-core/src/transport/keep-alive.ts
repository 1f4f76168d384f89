// Keeps the process alive while something of a transport is under way: calls in flight, held
// targets and closing. All other timers of a transport, and the idle connections that it dialed,
// let the process end. It is the module '#keep-alive', except in browsers.

import { type Clock, type ClockTimer, LONGEST_DELAY } from '../clock.ts';

/** Holds a timer while there is a reason to stay alive. Without `Clock.ref` it does nothing. */
export class KeepAlive {
  readonly #clock: Clock;
  #reasons = 0;
  #timer: ClockTimer = undefined;
  /** Set while the timer is about to be dropped: a timer for each call would slow down calls. */
  #ending: ClockTimer = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(): void {
    if (this.#reasons++ === 0)
      this.#timer ??= this.#clock.ref && this.#clock.setTimeout(() => {}, LONGEST_DELAY);
  }

  /** Takes back one `enter`. */
  leave(): void {
    if (--this.#reasons > 0 || this.#ending !== undefined || this.#timer === undefined) return;
    this.#ending = this.#clock.setTimeout(this.#end, PAUSE);
  }

  /**
   * Stays alive until a promise is settled.
   * @param isLast true if nothing follows, because the transport is then closed.
   */
  during<T>(promise: Promise<T>, isLast = false): Promise<T> {
    this.enter();
    return promise.finally(() => (isLast ? this.#stop() : this.leave()));
  }

  #stop(): void {
    this.#reasons = 0;
    this.#clock.clearTimeout(this.#ending);
    this.#end();
  }

  readonly #end = (): void => {
    this.#ending = undefined;
    if (this.#reasons > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  };
}

/** The milliseconds without a reason after which the process may end. */
const PAUSE = 20;
