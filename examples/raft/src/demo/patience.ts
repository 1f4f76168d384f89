// Waiting in the demo: for as long as it takes, but not for ever, and not past an interruption.

import { systemClock } from '@trunkline/transport-core';

/** Resolves once something is found. Rejects when it takes too long, and with the signal's reason. */
export async function until<T>(what: string, found: () => T | undefined, signal: AbortSignal): Promise<T> {
  const deadline = clock.now() + PATIENCE;
  for (;;) {
    const value = found();
    if (value !== undefined) return value;
    if (clock.now() > deadline) throw inVain(what);
    await clock.sleep(2, signal);
  }
}

/** The same for what will be told. */
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
  return new Error(`waited ${PATIENCE / 1_000} s in vain for ${what}`);
}

const clock = systemClock;
/** Milliseconds for anything that the demo waits for. */
export const PATIENCE = 15_000;
