// The machine's own clock, time of day, randomness and settings of the environment; a simulation
// may replace randomness and time of day, and forbid the clock. Only the system-*.ts files use such
// globals of the runtime.

import { type Clock, type ClockTimer, LONGEST_DELAY, sleepOn } from './clock.ts';
import type { Random } from './random.ts';
import type { Bytes } from './text.ts';

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
 * `setTimeout` with 0. Inside a simulation, every use fails, except `clearTimeout`.
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

/**
 * Returns a registry that calls `dropped` with the value of each object that has become garbage.
 */
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
  process?.env?.['TRUNKLINE_CALLER_STACKS'] === '1';

/**
 * Returns true if the environment asks listeners to share their ports (TRUNKLINE_REUSE_PORT=1), as
 * it does in the threads of a cluster; always false in a browser.
 */
export const environmentSharesPorts = (): boolean => process?.env?.['TRUNKLINE_REUSE_PORT'] === '1';

// The fastest ways to allocate and free memory in each runtime. Only the system-*.ts files use such
// globals of the runtime.
//
// The performance target for messages of 1 MiB over TCP (docs/performance.md) depends on them. If
// memory were zeroed, the receiver would need 1.34 times the CPU time; without `freeChunk`, 1.14
// times; and without the freed 31 MiB, 1.09 times, with 5 to 80 page faults for each message
// instead of 0.4 to 5 (Node 20, medians of alternating runs).

declare const Buffer: { allocUnsafeSlow?(size: number): Bytes } | undefined;
declare const MessageChannel: (new () => { readonly port1: MessagePortLike }) | undefined;

interface MessagePortLike {
  postMessage(message: null, transfer: readonly ArrayBuffer[]): void;
  close(): void;
}

interface Transferable extends ArrayBuffer {
  transfer?(size: number): ArrayBuffer;
}

/**
 * Allocates bytes that are not zeroed if the runtime allows that. The caller must write all of them
 * before they are read.
 *
 * The first long allocation of a process also allocates 31 MiB that are never touched and leaves
 * them to the garbage collector. Once they are freed, glibc keeps up to twice as much free memory
 * at the end of its heap (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). Otherwise it would
 * return the memory of long messages to the system again and again, and each new message would be
 * faulted in page by page.
 */
export const allocate: (size: number) => Bytes =
  typeof Buffer !== 'undefined' && Buffer.allocUnsafeSlow !== undefined
    ? (size) => {
        if (size > LONG && !hasRaisedThresholds) {
          hasRaisedThresholds = true;
          // Left to the garbage collector: on Node 20, freeing it now would need a MessageChannel,
          // which simulations forbid.
          unzeroed(MAPPED);
        }
        return unzeroed(size);
      }
    : (size) => new Uint8Array(size);

function unzeroed(size: number): Bytes {
  return new Uint8Array(Buffer!.allocUnsafeSlow!(size).buffer, 0, size);
}

/** True once the block has been allocated whose release makes glibc keep more free memory. */
let hasRaisedThresholds = false;

/**
 * Frees the memory of a chunk or of an incomplete message now, without waiting for the garbage
 * collector. A stream layer calls it when its sink is done with a chunk that nobody else holds; the
 * chunk is empty afterwards. Does nothing for a chunk of at most 16 KiB, for a part of larger
 * memory, or if the runtime has no means to free memory.
 *
 * Without it, a receiver of long messages leaves 64 KiB of garbage for every 64 KiB that it reads.
 * At 64 MB of such garbage, V8 in Node 24 marks and sweeps the whole heap.
 */
export function freeChunk(chunk: Uint8Array): void {
  // In a simulation, it would make runs irreproducible.
  if (chunk.length <= SHORT || override !== undefined) return;
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && buffer instanceof ArrayBuffer) free(buffer);
}

/**
 * Frees a buffer. Node 20 has no `transfer`; there the buffer is sent to a closed port, which takes
 * it from its sender and discards it.
 */
const free: (memory: Transferable) => void =
  'transfer' in ArrayBuffer.prototype
    ? (memory) => void memory.transfer!(0)
    : (memory) => (nowhere ??= closedPort())?.postMessage(null, [memory]);

function closedPort(): MessagePortLike | undefined {
  if (typeof MessageChannel === 'undefined') return undefined;
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

let nowhere: MessagePortLike | undefined;

/** Maximum size, in bytes, of a chunk that is not worth freeing. */
const SHORT = 16 * 1024;
/**
 * The size in bytes above which an allocation holds a message of many packets rather than a packet
 * or a batch. glibc uses mmap for them at first (above 128 KiB).
 */
const LONG = 256 * 1024;
/**
 * A size in bytes just below 32 MiB, which is the largest block from which glibc adjusts its
 * thresholds.
 */
const MAPPED = 31 * 1024 * 1024;

// Lets a simulation replace the machine's randomness and time of day, and forbid its clock, so that
// every run can be replayed.

/** The replacement for the machine's randomness, time of day and clock. */
export interface RuntimeOverride {
  /** Returns a number in [0, 1), for `systemRandom`. */
  random(): number;
  /** Returns the number of milliseconds since 1970, for `systemWall`. */
  wall(): number;
  /** Called at each use of `systemClock`, with the name of the method; throws an error. */
  refuse(method: string): void;
}

/** The current override; undefined if the machine's own values are used. */
export let override: RuntimeOverride | undefined;

/**
 * Replaces the machine's randomness, time of day and clock for all code in this thread; undefined
 * restores them. For simulations only, because it makes keys guessable.
 */
export function replaceSystem(next: RuntimeOverride | undefined): void {
  override = next;
}
