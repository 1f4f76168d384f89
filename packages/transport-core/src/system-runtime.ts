// The machine's own clock, time of day, randomness and settings of the environment; a simulation
// may replace randomness and time of day. Only the system-*.ts files use such globals of the
// runtime.

import { type Clock, type ClockTimer, LONGEST_DELAY, sleepOn } from './clock.ts';
import type { Random } from './random.ts';
import { override } from './runtime-override.ts';

declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delay: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const setImmediate: ((callback: () => void) => unknown) | undefined;
declare const process:
  | {
      nextTick?(callback: () => void): void;
      readonly env?: Readonly<Record<string, string | undefined>>;
    }
  | undefined;
declare const crypto: { getRandomValues<T extends ArrayBufferView>(array: T): T };

/**
 * The real-time clock: `performance.now` and the runtime's timers. `defer` is `process.nextTick`,
 * or a microtask if the runtime lacks it. `turn` is `setImmediate`, or `setTimeout` with 0.
 */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  setTimeout: (callback: () => void, delay: number): ClockTimer =>
    setTimeout(callback, Math.min(Math.max(delay, 0), LONGEST_DELAY)),
  clearTimeout: (timer: ClockTimer) => clearTimeout(timer),
  sleep: (delay: number, signal?: AbortSignal) => sleepOn(systemClock, delay, signal),
  defer:
    typeof process !== 'undefined' && process.nextTick !== undefined
      ? process.nextTick
      : (callback: () => void) => queueMicrotask(callback),
  // A timeout of 0 takes a millisecond in Node, and up to four milliseconds in browsers, which have
  // nothing shorter.
  turn: (callback: () => void) =>
    void (typeof setImmediate === 'function' ? setImmediate(callback) : setTimeout(callback, 0)),
});

/**
 * Returns the time of day in milliseconds since 1970; inside a simulation, the time of the
 * simulated machine.
 */
export const systemWall = (): number => (override === undefined ? Date.now() : override.wall());

/**
 * Returns random numbers from the runtime's cryptographic source, 32 bits each; instance ids are
 * made from them. In a simulation, the numbers come from its seed.
 */
export const systemRandom: Random = () => {
  if (override !== undefined) return override.random();
  if (left === 0) {
    crypto.getRandomValues(pool);
    left = pool.length;
  }
  return pool[--left]! / 0x1_0000_0000;
};

/** Random numbers that were drawn but not used yet: the first `left` numbers of the pool. */
const pool = new Uint32Array(64);
let left = 0;

/** Returns a registry that calls `dropped` with the value of each object that has become garbage. */
export const onGarbage = <T>(dropped: (value: T) => void): GarbageRegistry<T> =>
  new FinalizationRegistry(dropped);

/** The part of a FinalizationRegistry that is used. */
export interface GarbageRegistry<T> {
  register(object: object, value: T): void;
}

/**
 * Returns true if the environment asks for the stacks of callers (TRUNKLINE_CALLER_STACKS=1);
 * always false in a browser.
 */
export const environmentAsksForStacks = (): boolean =>
  typeof process !== 'undefined' && process.env?.['TRUNKLINE_CALLER_STACKS'] === '1';

/**
 * Returns true if the environment asks listeners to share their ports (TRUNKLINE_REUSE_PORT=1), as
 * it does in the threads of a cluster; always false in a browser.
 */
export const environmentSharesPorts = (): boolean =>
  typeof process !== 'undefined' && process.env?.['TRUNKLINE_REUSE_PORT'] === '1';
