// Waiting in the demo, with a time limit, and stopping when the demo is interrupted.

import { systemClock } from '@trunkline/transport-core';

/**
 * Resolves with the result of `found` once it is defined. Rejects after PATIENCE, and with the
 * signal's reason.
 */
export async function until<T>(
  what: string,
  found: () => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  const deadline = clock.now() + PATIENCE;
  for (;;) {
    const value = found();
    if (value !== undefined) return value;
    if (clock.now() > deadline) throw inVain(what);
    await clock.sleep(2, signal);
  }
}

/** Like `until`, for a promise. */
export async function within<T>(what: string, told: Promise<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const late = async () => {
    await clock.sleep(PATIENCE, AbortSignal.any([signal, settled.signal]));
    throw inVain(what);
  };
  try {
    return await Promise.race([told, late()]);
  } finally {
    settled.abort();
  }
}

function inVain(what: string): Error {
  return new Error(`gave up after ${PATIENCE / 1_000} s of waiting for ${what}`);
}

const clock = systemClock;
/** Milliseconds for anything that the demo waits for. */
export const PATIENCE = 15_000;
