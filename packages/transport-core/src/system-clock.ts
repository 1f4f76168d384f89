// The machine's own clock and timers: with system-random the only file that names those globals.

import { type Clock, LONGEST_DELAY, sleepOn, type Timer } from './clock.ts';
import { standIn } from './stand-in.ts';

declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delay: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const setImmediate: ((callback: () => void) => unknown) | undefined;
declare const process: { nextTick?(callback: () => void): void } | undefined;

/** Real time: `performance.now` and the runtime's timers. `defer` is `process.nextTick`, or a microtask where there is none; `turn` is `setImmediate`. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  setTimeout: (callback: () => void, delay: number): Timer => setTimeout(callback, Math.min(Math.max(delay, 0), LONGEST_DELAY)),
  clearTimeout: (timer: Timer) => clearTimeout(timer),
  sleep: (delay: number, signal?: AbortSignal) => sleepOn(systemClock, delay, signal),
  defer: typeof process !== 'undefined' && process.nextTick !== undefined ? process.nextTick : (callback: () => void) => queueMicrotask(callback),
  // A timeout of 0 is a millisecond in Node, and up to four in browsers, which have nothing shorter.
  turn: (callback: () => void) => void (typeof setImmediate === 'function' ? setImmediate(callback) : setTimeout(callback, 0)),
});

/** The time of day in milliseconds since 1970, by the machine's clock; inside a simulation, by the simulated machine's. */
export const systemWall = (): number => (standIn === undefined ? Date.now() : standIn.wall());
