// Keeps the process alive while something of a transport is under way: calls in flight, held
// targets and closing. All other timers of a transport, and the idle connections that it dialed,
// let the process end.

import { type Clock, type ClockTimer, LONGEST_DELAY } from '../clock.ts';

/** Holds a timer while there is a reason to stay alive. Without `Clock.ref` it does nothing. */
export class KeepAlive {
  readonly #clock: Clock;
  #reasons = 0;
  #timer: ClockTimer = undefined;
  /** True while the timer is about to be dropped: a timer for each call would slow down calls. */
  #isEnding = false;
  #pause: ClockTimer = undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  enter(): void {
    if (this.#reasons++ === 0 && !this.#isClosed)
      this.#timer ??= this.#clock.ref && this.#clock.setTimeout(() => {}, LONGEST_DELAY);
  }

  leave(): void {
    if (--this.#reasons > 0 || this.#isEnding || this.#timer === undefined) return;
    this.#isEnding = true;
    this.#pause = this.#clock.setTimeout(this.#end, PAUSE);
  }

  /** Stays alive until the returned function is called. */
  hold(): () => void {
    this.enter();
    let leave: (() => void) | undefined = () => this.leave();
    return () => {
      leave?.();
      leave = undefined;
    };
  }

  /** Stays alive until a promise is settled. */
  during<T>(promise: Promise<T>): Promise<T> {
    return promise.finally(this.hold());
  }

  /** Lets the process end at once, and from now on. */
  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#pause);
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #end = (): void => {
    this.#isEnding = false;
    if (this.#reasons > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  };
}

/** The milliseconds without a reason after which the process may end. */
const PAUSE = 20;
