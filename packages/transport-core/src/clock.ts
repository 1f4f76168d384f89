// Time as a value: everything that waits or measures gets a Clock, so that the same code runs on real and on simulated time.

/** What a timer is known by; opaque. */
export type Timer = unknown;

/** A monotonic clock and its timers. Times are milliseconds from an origin of its own; jumps of the wall clock never show. */
export interface Clock {
  /** Milliseconds since the clock's origin, fractions included; never falls. */
  now(): number;
  /** Runs `callback` once, `delay` milliseconds from now (at least), on a turn of its own. Delays above 2^31 − 1 are cut to it. */
  setTimeout(callback: () => void, delay: number): Timer;
  /** Stops a timer; one that ran or was stopped is left alone. */
  clearTimeout(timer: Timer): void;
  /** Resolves after `delay` milliseconds; with a signal that aborts first, rejects with its reason. */
  sleep(delay: number, signal?: AbortSignal): Promise<void>;
  /** Runs `callback` when the code that runs now is through, before anything else is read or any timer runs: the end of a tick. */
  defer(callback: () => void): void;
  /**
   * Runs `callback` on a turn of its own, after input that waits was read and before time passes: long work continues in it, so that
   * others are served in between. A clock without it is asked for `setTimeout` of 0 instead.
   */
  turn?(callback: () => void): void;
}

/** `sleep` for a clock that has the rest: its abort listener goes when the time is up. */
export function sleepOn(clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delay);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The longest delay that a timer of any runtime takes: 2^31 − 1 ms, 24.8 days. */
export const LONGEST_DELAY = 0x7fff_ffff;
