// A clock that moves when it is told to: tests of deadlines, keep-alive and back-off run on it in no time at all.

import { type Clock, sleepOn, type Timer } from './clock.ts';

/** A Clock whose time stands still between calls of `advance`. Timers run in order of their due times, then of their making. */
export interface ManualClock extends Clock {
  /** Moves time on by `milliseconds`, running each timer at its own moment; those that timers make within the span run too. */
  advance(milliseconds: number): void;
  /** Moves time on at once, as for a process that was stopped: the timers that were due meanwhile run now, late, in their order. */
  jump(milliseconds: number): void;
  /** When the next timer is due; undefined where there is none. A closed transport leaves none. */
  readonly nextDue: number | undefined;
  /** How many timers wait. */
  readonly timers: number;
}

interface Entry {
  due: number;
  order: number;
  callback: () => void;
}

/** A ManualClock that begins at `start` (default 1,000 ms). `defer` and `turn` are microtasks: neither needs time to pass. */
export function createManualClock(start = 1_000): ManualClock {
  let time = start;
  let order = 0;
  const entries = new Set<Entry>();
  const next = (): Entry | undefined => {
    let first: Entry | undefined;
    for (const entry of entries) {
      if (first === undefined || entry.due < first.due || (entry.due === first.due && entry.order < first.order)) first = entry;
    }
    return first;
  };
  const clock: ManualClock = {
    now: () => time,
    setTimeout(callback, delay): Timer {
      const entry = { due: time + Math.max(delay, 0), order: order++, callback };
      entries.add(entry);
      return entry;
    },
    clearTimeout: (timer) => void entries.delete(timer as Entry),
    sleep: (delay, signal) => sleepOn(clock, delay, signal),
    defer: (callback) => queueMicrotask(callback),
    turn: (callback) => queueMicrotask(callback),
    advance(milliseconds) {
      const end = time + milliseconds;
      for (let entry = next(); entry !== undefined && entry.due <= end; entry = next()) {
        entries.delete(entry);
        time = Math.max(time, entry.due);
        entry.callback();
      }
      time = end;
    },
    jump(milliseconds) {
      time += milliseconds;
      const made = order;
      for (let entry = next(); entry !== undefined && entry.due <= time && entry.order < made; entry = next()) {
        entries.delete(entry);
        entry.callback();
      }
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
