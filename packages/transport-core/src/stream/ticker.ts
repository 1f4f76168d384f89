// Divides time into ticks of the event loop. The clock is read once in a tick, and each connection
// writes its output once, at the end. Output that can wait leaves at the end of the turn.

import { backgroundTimer, type Clock, type ClockTimer } from '../clock.ts';
import type { InCall } from '../session/in-call.ts';
import { CANCEL_TOLD, SCARCE, SHARE, TURN } from '../session/session-context.ts';

/**
 * An output that is flushed at the end of a tick. It is an object, because a closure for each
 * connection would cost memory.
 */
interface Flushable {
  /** Must not throw, because those behind it would then not be called. */
  flushTick(now: number): void;
}

/** Provides the time of the current tick, and flushes output at its end. */
export class Ticker {
  readonly #clock: Clock;
  readonly #began: (() => void) | undefined;
  #time = 0;
  #fresh = false;
  #scheduled = false;
  #inside = 0;
  #dirty: Flushable[] | undefined = undefined;

  /** @param began called at the beginning of each tick, if given. */
  constructor(clock: Clock, began: (() => void) | undefined = undefined) {
    this.#clock = clock;
    this.#began = began;
  }

  /** Returns the time of this tick in milliseconds. */
  now(): number {
    return this.#fresh ? this.#time : this.#begin();
  }

  /** Begins a tick: reads the clock. */
  #begin(): number {
    this.#time = this.#clock.now();
    this.#fresh = true;
    if (this.#began !== undefined) this.#began();
    this.#schedule();
    return this.#time;
  }

  /**
   * Schedules a call to `flushTick` at the end of this tick. The caller does so once in a tick.
   * @param canWait true if the end of this turn of the event loop is early enough.
   */
  touch(flushable: Flushable, canWait = false): void {
    if (this.#dirty === undefined) this.#dirty = [flushable];
    else this.#dirty.push(flushable);
    if (this.#inside > 0) return;
    const { turn } = this.#clock;
    // An event without work reads the clock again, and flushes.
    if (canWait && turn !== undefined) turn(() => this.run(() => {}));
    else this.#schedule();
  }

  /**
   * Handles an event: reads the clock again, runs `work`, and flushes the output as soon as it
   * returns.
   */
  run<T>(work: (now: number) => T): T {
    this.enter();
    try {
      return work(this.#time);
    } finally {
      this.leave();
    }
  }

  /** The first half of `run`, for the hottest path. `leave` must always be called afterwards. */
  enter(): number {
    if (this.#inside++ === 0) {
      this.#time = this.#clock.now();
      this.#fresh = true;
      if (this.#began !== undefined) this.#began();
    }
    return this.#time;
  }

  leave(): void {
    if (--this.#inside > 0) return;
    this.#flush();
    if (!this.#scheduled) this.#fresh = false;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#tick);
  }

  readonly #tick = (): void => {
    this.#scheduled = false;
    this.#flush();
    this.#fresh = false;
  };

  #flush(): void {
    // Objects that become dirty during a flush are flushed in the next round, until none are left.
    while (this.#dirty !== undefined) {
      const dirty = this.#dirty;
      this.#dirty = undefined;
      for (const flushable of dirty) flushable.flushTick(this.#time);
    }
  }
}

// One timer for everything that a transport waits for, set to the earliest due time. A timer for
// each call would cost a quarter of the throughput. It does not keep the process alive; KeepAlive
// does.

/**
 * Calls `ring` at the earliest requested time; `ring` returns the next one. If the timer is late by
 * more than half a second, the process was asleep, so `excuse` is called first.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  readonly #excuse: (lateness: number) => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: ClockTimer = undefined;
  #stopped = false;

  /**
   * @param ring does everything that is due, and returns the next due time.
   * @param excuse receives the milliseconds for which the process slept: peers' silence during that
   * time does not count.
   */
  constructor(clock: Clock, ring: (now: number) => number, excuse: (lateness: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
    this.#excuse = excuse;
  }

  /** Makes the timer ring at `time` or earlier. */
  by(time: number): void {
    if (time < this.#due && !this.#stopped) this.#arm(time);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #arm(time: number): void {
    if (this.#due !== Number.POSITIVE_INFINITY) this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    // A time that was already past when it was requested is not a sign of sleep.
    this.#due = Math.max(time, now);
    this.#timer = backgroundTimer(this.#clock, this.#fire, this.#due - now);
  }

  readonly #fire = (): void => {
    const now = this.#clock.now();
    const lateness = now - this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    if (lateness > LATE) {
      // Input that arrived during the sleep is read before the timer's next turn, and only then are
      // peers judged.
      this.#excuse(lateness);
      return this.by(now + 1);
    }
    const next = this.#ring(now);
    if (next < this.#due) this.by(next);
  };
}

/** The lateness in milliseconds from which this process is assumed to have slept. */
const LATE = 500;

// Shares the processor among the connections of one transport, by the work units that their peers
// cost (session-context.ts). A connection that has spent its units is not read further until the
// others have been served.

/** A connection that waits for its next turn. */
export interface ScheduledReader {
  /** Called when the connection may spend `ReadScheduler.allowance` units again. */
  goOn(): void;
}

/**
 * Counts the work units that all connections use in a turn. A turn ends when the event loop has
 * read the waiting input. The end is requested only when many units were spent, so on an idle
 * transport, counting a chunk costs only an addition. At the end of a turn, waiting connections
 * continue in the order in which they began to wait, as many as one turn has units for. They share
 * these units, so that a connection that seldom waits is not delayed by a whole turn of every other
 * connection.
 */
export class ReadScheduler {
  /** The number of the current turn. */
  number = 0;
  /** The units that one connection may spend in this turn. */
  allowance = TURN;
  #spent = 0;
  /** True if the end of this turn has been requested. */
  #ending = false;
  #timer: ClockTimer = undefined;
  readonly #waiting = new Set<ScheduledReader>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records units that a connection has spent. */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent < TURN / 2) return;
    this.endTurn();
    if (this.#spent >= SCARCE) this.allowance = SHARE;
  }

  /** Makes a connection that has spent its units wait for a later turn. */
  wait(connection: ScheduledReader): void {
    this.#waiting.add(connection);
    this.endTurn();
  }

  /** Removes a connection that has ended. */
  leave(connection: ScheduledReader): void {
    this.#waiting.delete(connection);
  }

  /** Cancels the timer and forgets waiting connections, because the transport is closed. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  /** Ends the turn as soon as the event loop has read the input that waits. */
  endTurn(): void {
    if (this.#ending) return;
    this.#ending = true;
    const { turn } = this.#clock;
    if (turn === undefined) this.#timer = this.#clock.setTimeout(this.#next, 0);
    else turn(this.#next);
  }

  readonly #next = (): void => {
    this.#ending = false;
    this.number++;
    this.#spent = 0;
    let left = this.#waiting.size;
    this.allowance = left < 2 ? TURN : Math.max(SHARE, Math.floor(TURN / left));
    for (const connection of this.#waiting) {
      if (left-- === 0 || this.#spent >= TURN) break;
      this.#waiting.delete(connection);
      connection.goOn();
    }
    this.allowance = this.#spent >= SCARCE ? SHARE : TURN;
    if (this.#waiting.size > 0) this.endTurn();
  };
}

// AbortQueue notifies handlers that their caller is gone. When a connection with thousands of calls
// ends, each handler with a signal costs as much as hundreds of frames, so handlers are notified
// over several turns.

/**
 * Owns the calls of one transport that have lost their connection and whose handlers were not
 * notified yet. Their number is bounded by the number of calls that may be handled at the same
 * time.
 */
export class AbortQueue implements ScheduledReader {
  #calls: InCall[] = [];
  /** The index of the first call in `#calls` whose handler was not notified. */
  #next = 0;
  readonly #scheduler: ReadScheduler;

  constructor(scheduler: ReadScheduler) {
    this.#scheduler = scheduler;
  }

  /** Notifies the handlers of these calls: now, or in later turns if there are many. */
  add(calls: readonly InCall[]): void {
    if (calls.length === 0) return;
    const isIdle = this.#calls.length === 0;
    for (const call of calls) this.#calls.push(call);
    if (isIdle) this.goOn();
  }

  /** Notifies as many handlers as one turn has units for. */
  goOn(): void {
    const end = Math.min(this.#next + TURN / CANCEL_TOLD, this.#calls.length);
    this.#scheduler.spend((end - this.#next) * CANCEL_TOLD);
    while (this.#next < end) tell(this.#calls[this.#next++]!);
    if (end < this.#calls.length) return this.#scheduler.wait(this);
    this.#calls = [];
    this.#next = 0;
  }

  /** Notifies all remaining handlers immediately, because the transport is closed. */
  finish(): void {
    while (this.#calls.length > 0) this.goOn();
    this.#scheduler.leave(this);
  }
}

/** Notifies a handler, unless it has already ended. */
function tell(call: InCall): void {
  if (call.running !== 0) call.tell();
}
