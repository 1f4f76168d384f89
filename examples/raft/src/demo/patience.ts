// Waiting in the demo, with a time limit, and stopping when the demo is interrupted.

import { systemClock } from '@trunkline/transport-core';
import type { TimeScale } from './time-scale.ts';

/**
 * Resolves with the result of `found` once it is defined. Rejects after PATIENCE multiplied by the
 * time scale, and with the signal's reason.
 */
export async function until<T>(
  what: string,
  found: () => T | undefined,
  timeScale: TimeScale,
  signal: AbortSignal,
): Promise<T> {
  const began = clock.now();
  for (;;) {
    const value = found();
    if (value !== undefined) return value;
    if (remaining(began, timeScale) < 0) throw inVain(what, began);
    await clock.sleep(2, signal);
  }
}

/** Like `until`, for a promise. */
export async function within<T>(
  what: string,
  told: Promise<T>,
  timeScale: TimeScale,
  signal: AbortSignal,
): Promise<T> {
  const began = clock.now();
  const settled = new AbortController();
  const late = async () => {
    const ended = AbortSignal.any([signal, settled.signal]);
    for (;;) {
      const left = remaining(began, timeScale);
      if (left < 0) throw inVain(what, began);
      await clock.sleep(left + 1, ended);
    }
  };
  try {
    return await Promise.race([told, late()]);
  } finally {
    settled.abort();
  }
}

/** Returns the milliseconds that are left of a wait; negative if its time is up. */
function remaining(began: number, timeScale: TimeScale): number {
  return began + PATIENCE * timeScale.factor - clock.now();
}

function inVain(what: string, began: number): Error {
  const seconds = Math.round((clock.now() - began) / 1_000);
  return new Error(`gave up after ${seconds} s of waiting for ${what}`);
}

const clock = systemClock;
/** Milliseconds for anything that the demo waits for, on a machine that is not busy. */
const PATIENCE = 15_000;
