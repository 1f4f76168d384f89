// The clocks of a simulated node: they can run at the wrong rate and show the wrong time.

import type { Clock, Timer } from '@trunkline/transport-core';
import { LONGEST_DELAY, sleepOn } from '@trunkline/transport-core/internal';
import type { EventOwner, SimEvent } from '../world/event-queue.ts';
import { EPOCH, type World } from '../world/world.ts';

/**
 * The state of a node's hardware clock. All clocks of the node share it, and it survives restarts.
 */
export class NodeTime {
  readonly #world: World;
  /** The clock showed `#shown` at the virtual time `#since`, and has run at `rate` since then. */
  #since = 0;
  #shown = 0;
  /** The reading of the monotonic clock when the clock was last set. */
  #floor = 0;
  rate = 1;

  constructor(world: World) {
    this.#world = world;
  }

  /** The wall clock without its epoch, in milliseconds; it can go back. */
  get reading(): number {
    return this.#shown + (this.#world.now - this.#since) * this.rate;
  }

  /**
   * The monotonic clock, in milliseconds; it never goes back. When the wall clock is set back, it
   * runs at half speed until the wall clock has caught up, as slewed clocks do.
   */
  get monotonic(): number {
    return Math.max(this.#floor + (this.#world.now - this.#since) * this.rate * SLEW, this.reading);
  }

  /** Sets the clock forward, or back if `by` is negative. */
  skew(by: number): void {
    this.#floor = this.monotonic;
    this.#shown = this.reading + by;
    this.#since = this.#world.now;
  }

  /** Makes the clock run fast by so many millionths from now on, or slow if `ppm` is negative. */
  drift(ppm: number): void {
    this.#floor = this.monotonic;
    this.#shown = this.reading;
    this.#since = this.#world.now;
    this.rate = 1 + ppm / 1_000_000;
  }
}

/**
 * The clock of one life of a node. Once the node has crashed, its timers never fire and its sleeps
 * never end.
 */
export class NodeClock implements Clock {
  /** Number of timers that are set. */
  armed = 0;
  readonly #world: World;
  readonly #time: NodeTime;
  readonly #owner: EventOwner;

  constructor(world: World, time: NodeTime, owner: EventOwner) {
    this.#world = world;
    this.#time = time;
    this.#owner = owner;
  }

  /**
   * Monotonic milliseconds, equal to the virtual time of the simulation as long as the clock is
   * right. They never go back, whatever `skew` does.
   */
  now(): number {
    return this.#time.monotonic;
  }

  /**
   * The wall clock, in milliseconds since 1970. It begins at 2020-01-01T00:00:00Z; `skew` sets it
   * forward and back.
   */
  wall(): number {
    return EPOCH + this.#time.reading;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    if (!this.#owner.alive) return NEVER;
    // Every wait must advance virtual time, even one below its resolution: on a slewed clock timers
    // fire early, so code that waits for a time sets timers for ever smaller remainders.
    const wait =
      delay > 0
        ? Math.max(
            Math.min(delay, LONGEST_DELAY) / this.#time.rate,
            this.#world.now * 2 * Number.EPSILON,
          )
        : 0;
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

/**
 * Speed of the monotonic clock, relative to its rate, while it waits for the wall clock to catch
 * up.
 */
const SLEW = 0.5;
const NEVER: SimEvent = {
  at: Number.POSITIVE_INFINITY,
  order: -1,
  owner: undefined,
  kind: 'timer',
  run: undefined,
  cargo: undefined,
};
