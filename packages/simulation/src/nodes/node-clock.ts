// The clocks of a simulated node: they can run at the wrong rate and show the wrong time.

import type { Clock, ClockTimer } from '@trunkline/transport-core';
import { LONGEST_DELAY, sleepOn } from '@trunkline/transport-core/internal';
import { EPOCH, type EventLoop } from '../kernel/event-loop.ts';
import type { EventOwner, SimEvent } from '../kernel/event-queue.ts';

/**
 * The state of a node's hardware clock. All clocks of the node share it, and it survives restarts.
 */
export class NodeTime {
  readonly #loop: EventLoop;
  /** The monotonic clock showed `#shown` at the virtual time `#since`, and runs at `rate`. */
  #since = 0;
  #shown = 0;
  /** By how much the wall clock is ahead of the monotonic one. */
  #ahead = 0;
  rate = 1;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** The wall clock without its epoch, in milliseconds; it can go back. */
  get reading(): number {
    return this.monotonic + this.#ahead;
  }

  /** The monotonic clock, in milliseconds; it never goes back. */
  get monotonic(): number {
    return this.#shown + (this.#loop.now - this.#since) * this.rate;
  }

  /** Sets the wall clock forward, or back if `by` is negative; or both clocks forward. */
  skew(by: number, clock: 'wall' | 'both'): void {
    if (clock === 'both') this.#shown += by;
    else this.#ahead += by;
  }

  /**
   * Makes both clocks run fast by `ppm` millionths from now on, or slow if `ppm` is negative.
   * Timers that are set already still fire at their old virtual time.
   */
  drift(ppm: number): void {
    this.#shown = this.monotonic;
    this.#since = this.#loop.now;
    this.rate = 1 + ppm / 1_000_000;
  }
}

/**
 * The clock of one incarnation of a node. After the node has crashed, its timers never fire and its
 * sleeps never end.
 */
export class NodeClock implements Clock {
  /** Number of timers that are set. */
  armed = 0;
  readonly #loop: EventLoop;
  readonly #time: NodeTime;
  readonly #owner: EventOwner;

  constructor(loop: EventLoop, time: NodeTime, owner: EventOwner) {
    this.#loop = loop;
    this.#time = time;
    this.#owner = owner;
  }

  /**
   * Monotonic milliseconds, equal to the virtual time of the simulation as long as the clock is
   * right. They never go back.
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

  setTimeout(callback: () => void, delay: number): ClockTimer {
    if (!this.#owner.alive) return NEVER;
    // Every wait must advance virtual time, even one below its resolution. Otherwise code that
    // waits for a certain time sets timers for smaller and smaller remainders.
    const { now } = this.#loop;
    const least = now * 2 * Number.EPSILON;
    const wait = delay > 0 ? Math.max(Math.min(delay, LONGEST_DELAY) / this.#time.rate, least) : 0;
    this.armed++;
    return this.#loop.scheduleAt(now + wait, 'timer', this.#owner, this.#fire, callback);
  }

  readonly #fire = (callback: () => void): void => {
    this.armed--;
    return callback();
  };

  clearTimeout(timer: ClockTimer): void {
    const event = timer as SimEvent | undefined;
    if (event?.run === undefined || event === NEVER) return;
    this.armed--;
    this.#loop.cancel(event);
  }

  sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delay, signal);
  }

  defer(callback: () => void): void {
    if (this.#owner.alive) this.#loop.defer(this.#owner, callback);
  }
}

const NEVER: SimEvent = {
  at: Number.POSITIVE_INFINITY,
  order: -1,
  owner: undefined,
  kind: 'timer',
  run: undefined,
  argument: undefined,
};
