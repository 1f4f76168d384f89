// The clock as a parameter: code that waits or measures receives a Clock, so that it runs in real
// and in simulated time. Programs may pass clocks of their own: a required method must be in the
// list in common-options.ts, too. Below are functions for every clock. Timers that do not keep the
// process alive are tested in trunkline/src/process-end.test.ts.

/** An opaque timer handle. */
export type ClockTimer = unknown;

/**
 * A monotonic clock with timers. Times are milliseconds from an arbitrary origin; changes to the
 * wall clock have no effect. A ManualClock does not keep the promises about turns: all timers of
 * one `advance` or `jump` share a turn, and what they defer runs after them.
 */
export interface Clock {
  /**
   * Returns the number of milliseconds since the clock's origin, with fractions; never decreases.
   */
  now(): number;
  /**
   * Runs `callback` once, on its own turn of the event loop, `delay` milliseconds from now or
   * later. Node drops fractions of a delay, so by `now` it may be up to 2 ms early: compare the
   * time again. Delays above 2^31 − 1 are reduced to that value.
   */
  setTimeout(callback: () => void, delay: number): ClockTimer;
  /** Cancels a timer; does nothing if it has fired or was canceled, or for undefined. */
  clearTimeout(timer: ClockTimer): void;
  /**
   * Resolves after `delay` milliseconds; rejects with the signal's reason if the signal aborts
   * first.
   */
  sleep(delay: number, signal?: AbortSignal): Promise<void>;
  /**
   * Runs `callback` at the end of the current tick: when the running code has finished, and before
   * any input is read or any timer fires.
   */
  defer(callback: () => void): void;
  /**
   * Runs `callback` without delay on a later turn of the event loop, after pending input has been
   * read. Use it to split up long work, so that other connections are served in between. If a clock
   * lacks it, a transport splits its work with `setTimeout` and 0.
   */
  turn?(callback: () => void): void;
  /**
   * Sets whether a pending timer keeps the process alive. A new timer does. A clock lacks this
   * method if that can't be changed: in a browser, no timer keeps a page alive.
   */
  ref?(timer: ClockTimer, on: boolean): void;
}

/**
 * Sets a timer that does not keep the process alive. If the clock has no `ref`, it is an ordinary
 * timer.
 */
export function backgroundTimer(
  clock: Pick<Clock, 'setTimeout' | 'ref'>,
  callback: () => void,
  delay: number,
): ClockTimer {
  const timer = clock.setTimeout(callback, delay);
  clock.ref?.(timer, false);
  return timer;
}

/**
 * Implements `sleep` on top of a clock's timers. It removes its abort listener when the time is up.
 */
export function sleepOn(
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
  delay: number,
  signal?: AbortSignal,
): Promise<void> {
  if (signal === undefined) return new Promise((resolve) => clock.setTimeout(resolve, delay));
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delay);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The longest delay that a timer of any runtime accepts: 2^31 − 1 ms, 24.8 days. */
export const LONGEST_DELAY = 0x7fff_ffff;
