// The clocks of a node: they run at their own rate, and are wrong by as much as the test says.

import { type Clock, LONGEST_DELAY, sleepOn, type Timer } from '@trunkline/transport-core';
import type { Owner, SimEvent } from '../world/event-queue.ts';
import { EPOCH, type World } from '../world/world.ts';

/** What a node's clocks show; shared by all clocks of the node, and kept over its restarts, as hardware is. */
export class NodeTime {
  readonly #world: World;
  /** The clock showed `#shown` at the virtual time `#since`, and has run at `rate` from there. */
  #since = 0;
  #shown = 0;
  /** What the monotonic clock showed when the clock was last set. */
  #floor = 0;
  rate = 1;

  constructor(world: World) {
    this.#world = world;
  }

  /** The wall clock, before its epoch: it can be set back. */
  get reading(): number {
    return this.#shown + (this.#world.now - this.#since) * this.rate;
  }

  /** Never falls: set back, it runs at half its speed until it is right, as clocks that are slewed do. */
  get monotonic(): number {
    return Math.max(this.#floor + (this.#world.now - this.#since) * this.rate * SLEW, this.reading);
  }

  /** Sets the clock forward, or back where `by` is negative. */
  skew(by: number): void {
    this.#floor = this.monotonic;
    this.#shown = this.reading + by;
    this.#since = this.#world.now;
  }

  /** From now on the clock runs fast by so many millionths, or slow where it is negative. */
  drift(ppm: number): void {
    this.#floor = this.monotonic;
    this.#shown = this.reading;
    this.#since = this.#world.now;
    this.rate = 1 + ppm / 1_000_000;
  }
}

/** The clock that a node's code holds. Once the node has crashed, its timers never fire and its sleeps never end. */
export class NodeClock implements Clock {
  /** Timers that wait. */
  armed = 0;
  readonly #world: World;
  readonly #time: NodeTime;
  readonly #owner: Owner;

  constructor(world: World, time: NodeTime, owner: Owner) {
    this.#world = world;
    this.#time = time;
    this.#owner = owner;
  }

  /** Milliseconds, equal to the virtual time of the simulation while the clock is right; never falls, whatever `skew` does. */
  now(): number {
    return this.#time.monotonic;
  }

  /** The wall clock: milliseconds since 1970, beginning at 2020-01-01T00:00:00Z. `skew` sets it forward and back. */
  wall(): number {
    return EPOCH + this.#time.reading;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    if (!this.#owner.alive) return NEVER;
    // However little is left on a clock that was set back, time goes on for it.
    const wait = delay > 0 ? Math.max(Math.min(delay, LONGEST_DELAY) / this.#time.rate, this.#world.now * 2 * Number.EPSILON) : 0;
    this.armed++;
    return this.#world.schedule(wait, 'timer', this.#owner, () => {
      this.armed--;
      return callback();
    });
  }

  clearTimeout(timer: Timer): void {
    const event = timer as SimEvent | undefined;
    if (event?.run === undefined || event === NEVER) return;
    this.armed--;
    this.#world.cancel(event);
  }

  sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delay, signal);
  }

  defer(callback: () => void): void {
    if (this.#owner.alive) this.#world.defer(this.#owner, callback);
  }
}

/** Of its speed, while it waits for the time that it has shown already. */
const SLEW = 0.5;
const NEVER: SimEvent = {
  at: Number.POSITIVE_INFINITY,
  order: -1,
  owner: undefined,
  kind: 'timer',
  run: undefined,
  cargo: undefined,
};
