// The clock of the demo. All its nodes and clients share one event loop, and on a busy machine a
// turn of it takes long: a frame or a timer that is due waits as long, and Raft would take the
// delay for a lost leader.

import { type Clock, type ClockTimer, systemClock } from '@trunkline/transport-core';

/**
 * Creates a clock that counts at most 20 ms for each turn of the event loop, however long it takes.
 * So every timeout leaves time for as many turns as on an idle machine.
 */
export function createLoopClock(base: Clock = systemClock): Clock {
  // The moment at which the current turn began, on this clock and on `base`.
  let began = 0;
  let baseBegan = base.now();
  const now = () => began + Math.min(base.now() - baseBegan, LONGEST_TURN);
  const beginTurn = () => {
    began = now();
    baseBegan = base.now();
  };
  const beat = () => {
    beginTurn();
    const next = base.setTimeout(beat, LONGEST_TURN / 2);
    base.ref?.(next, false);
  };
  beat();
  const clock: Clock = {
    ...base,
    now,
    setTimeout(callback, delay) {
      const due = now() + delay;
      const timer: { base?: ClockTimer } = {};
      const wait = () => {
        timer.base = base.setTimeout(() => {
          beginTurn();
          if (now() >= due) callback();
          else wait();
        }, due - now());
      };
      wait();
      return timer;
    },
    clearTimeout: (timer) => base.clearTimeout((timer as { base?: ClockTimer } | undefined)?.base),
    ref: (timer, on) => base.ref?.((timer as { base?: ClockTimer }).base, on),
    sleep: (delay, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const onAbort = () => {
          clock.clearTimeout(timer);
          reject(signal!.reason);
        };
        const timer = clock.setTimeout(() => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        }, delay);
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
  };
  return clock;
}

/** Milliseconds that a turn counts at most; shorter ones count in full. */
const LONGEST_TURN = 20;

/** The clock of this process. */
export const loopClock = createLoopClock();
