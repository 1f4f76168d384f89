// Keeps the process alive while something of a transport is under way: calls in flight, held
// targets and closing. All other timers of a transport, and the idle connections that it dialed,
// let the process end. It is the module '#keep-alive', except in browsers.

import { type Clock, type ClockTimer, LONGEST_DELAY } from '../clock.ts';

/** Holds a timer while there is a reason to stay alive. Without `Clock.ref` it does nothing. */
export class KeepAlive {
  /** True if `start` has nothing to do. */
  isOn: boolean;
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  #reasons = 0;
  #timer: ClockTimer = undefined;
  /** Set while the timer is about to be dropped: a timer for each call would slow down calls. */
  #ending: ClockTimer = undefined;

  /** @param isBusy returns true if calls are in flight: also a reason to stay alive. */
  constructor(clock: Clock, isBusy: () => boolean) {
    this.#clock = clock;
    this.#isBusy = isBusy;
    this.isOn = clock.ref === undefined;
  }

  /** Stays alive until `rest` is called and no reason is left. */
  start(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.#timer = this.#clock.setTimeout(() => {}, LONGEST_DELAY);
  }

  /** Called when a reason may have ended. */
  rest(): void {
    if (this.#reasons > 0 || this.#ending !== undefined || this.#timer === undefined) return;
    this.#ending = this.#clock.setTimeout(this.#end, PAUSE);
  }

  enter(): void {
    this.#reasons++;
    this.start();
  }

  /** Takes back one `enter`. */
  leave(): void {
    this.#reasons--;
    this.rest();
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
    if (this.#timer === undefined || this.#reasons > 0 || this.#isBusy()) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.isOn = false;
  };
}

/** The milliseconds without a reason after which the process may end. */
const PAUSE = 20;
