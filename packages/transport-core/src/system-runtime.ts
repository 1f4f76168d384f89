// The machine's own clock, time of day, randomness and settings of the environment; a simulation
// may replace randomness and time of day, and forbid the clock. Of this package, only the
// system-*.ts files use such globals of the runtime, and manual-clock.ts microtasks: the rules in
// biome.json forbid them elsewhere. Tested by reality.test.ts of simulation, process-end.test.ts of
// trunkline, composed.test.ts of transport-tcp, and docs/src/fake-timers.

import { type Clock, type ClockTimer, LONGEST_DELAY, sleepOn } from './clock.ts';
import type { Random } from './random.ts';
import { override } from './runtime-override.ts';

const runtime = globalThis as unknown as {
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
  setImmediate?(callback: () => void): unknown;
  performance: { now(): number };
  Date: { now(): number };
  process?: {
    nextTick?(callback: () => void): void;
    readonly env?: Readonly<Record<string, string | undefined>>;
  };
  crypto: { getRandomValues<T extends ArrayBufferView>(array: T): T };
};
// Taken when this module loads, so that fake timers that a test installs later have no effect.
const { setTimeout, clearTimeout, setImmediate, performance, process, crypto } = runtime;
const now = performance.now.bind(performance);
const wall = runtime.Date.now;
const nextTick = process?.nextTick ?? queueMicrotask;

/**
 * The real-time clock: `performance.now` and the runtime's timers, as they were when this module
 * was imported; fake timers that are installed later have no effect on it. `defer` is
 * `process.nextTick`, or a microtask if the runtime lacks it. `turn` is `setImmediate`, or
 * `setTimeout` with 0. Inside a simulation, every use fails, except `clearTimeout` and `ref`.
 */
export const systemClock: Clock = Object.freeze({
  now: () => {
    override?.refuse('now');
    return now();
  },
  setTimeout: (callback: () => void, delay: number): ClockTimer => {
    override?.refuse('setTimeout');
    return setTimeout(callback, Math.min(Math.max(delay, 0), LONGEST_DELAY));
  },
  clearTimeout: (timer: ClockTimer) => clearTimeout(timer),
  sleep: (delay: number, signal?: AbortSignal) => sleepOn(systemClock, delay, signal),
  defer: (callback: () => void) => {
    override?.refuse('defer');
    nextTick(callback);
  },
  // A timeout of 0 takes a millisecond in Node, and up to four milliseconds in browsers, which have
  // nothing shorter.
  turn: (callback: () => void) => {
    override?.refuse('turn');
    if (setImmediate === undefined) setTimeout(callback, 0);
    else setImmediate(callback);
  },
  // Browsers, whose timers are numbers, end no page because of a timer.
  ...(process?.nextTick && {
    ref: (timer: ClockTimer, on: boolean) =>
      (timer as { ref?(): void; unref?(): void })[on ? 'ref' : 'unref']?.(),
  }),
});

/**
 * Returns the time of day in milliseconds since 1970; inside a simulation, the time of the
 * simulated machine.
 */
export const systemWall = (): number => (override === undefined ? wall() : override.wall());

/**
 * Returns random numbers from the runtime's cryptographic source, 32 bits each; instance ids and
 * the keys that mask WebSocket messages are made from them. In a simulation, the numbers come from
 * its seed.
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

/**
 * Returns a registry that calls `dropped` with the value of each object that has become garbage.
 */
export const onGarbage = <T>(dropped: (value: T) => void): FinalizationRegistry<T> =>
  new FinalizationRegistry(dropped);

/**
 * Returns true if the environment asks for the stacks of callers (TRUNKLINE_CALLER_STACKS=1);
 * always false in a browser.
 */
export const environmentAsksForStacks = (): boolean =>
  process?.env?.['TRUNKLINE_CALLER_STACKS'] === '1';

/**
 * Returns true if the environment asks listeners to share their ports (TRUNKLINE_REUSE_PORT=1), as
 * it does in the threads of a cluster; always false in a browser.
 */
export const environmentSharesPorts = (): boolean => process?.env?.['TRUNKLINE_REUSE_PORT'] === '1';
