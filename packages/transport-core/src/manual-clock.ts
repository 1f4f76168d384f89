// A clock that a test moves by hand, so that tests of deadlines, keep-alive and back-off take no
// real time.

import { type Clock, type ClockTimer, LONGEST_DELAY, sleepOn } from './clock.ts';

/**
 * A Clock whose time stands still between calls to `advance` and `jump`. Timers run in order of
 * their due times; timers with the same due time run in the order in which they were set.
 */
export interface ManualClock extends Clock {
  /**
   * Moves time forward by `milliseconds` and runs each timer at its own due time, including timers
   * that are set on the way. Unlike on other clocks, the timers share one turn: microtasks, and so
   * promises, `defer` and `turn`, run only after `advance` has returned. Await something between
   * two calls to let them run.
   */
  advance(milliseconds: number): void;
  /**
   * Moves time forward in one step, as if the process had been suspended: the timers that were due
   * meanwhile run now, late, in their order. Timers that they set run at the next call.
   */
  jump(milliseconds: number): void;
  /**
   * The due time of the next timer; undefined if there is none. A closed transport leaves no
   * timers.
   */
  readonly nextDue: number | undefined;
  /** The number of pending timers. */
  readonly timers: number;
}

interface TimerEntry {
  readonly due: number;
  readonly callback: () => void;
}

/**
 * Creates a ManualClock that starts at `start` (default 1,000 ms). `defer` and `turn` are both
 * microtasks, so they run without time passing; a real `turn` runs later, after pending input. The
 * clock must not have `ref`: a transport would then keep a timer of its own to stay alive, which
 * `timers` and `nextDue` would show.
 */
export function createManualClock(start = 1_000): ManualClock {
  let time = start;
  /** The timers, in the order in which they were set. */
  const entries = new Set<TimerEntry>();
  const next = (): TimerEntry | undefined => {
    let first: TimerEntry | undefined;
    for (const entry of entries) if (first === undefined || entry.due < first.due) first = entry;
    return first;
  };
  const clock: ManualClock = {
    now: () => time,
    setTimeout(callback, delay): ClockTimer {
      const entry = { due: time + Math.min(Math.max(delay, 0), LONGEST_DELAY), callback };
      entries.add(entry);
      return entry;
    },
    clearTimeout: (timer) => void entries.delete(timer as TimerEntry),
    sleep: (delay, signal) => sleepOn(clock, delay, signal),
    defer: (callback) => microtask(callback),
    turn: (callback) => microtask(callback),
    advance(milliseconds) {
      const end = time + milliseconds;
      for (let entry = next(); entry !== undefined && entry.due <= end; entry = next()) {
        entries.delete(entry);
        time = Math.max(time, entry.due);
        entry.callback();
      }
      time = Math.max(time, end);
    },
    jump(milliseconds) {
      time += Math.max(milliseconds, 0);
      const late = [...entries].filter(({ due }) => due <= time).sort((a, b) => a.due - b.due);
      for (const entry of late) if (entries.delete(entry)) entry.callback();
    },
    get nextDue() {
      return next()?.due;
    },
    get timers() {
      return entries.size;
    },
  };
  return clock;
}

/**
 * The runtime's own function, which fake timers that are installed later don't replace. Browsers
 * refuse a call of it with an object as `this`, such as a clock.
 */
const microtask = queueMicrotask;
