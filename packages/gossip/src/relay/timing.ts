// Time limits for relays.

/** Milliseconds without progress after which a transfer counts as stuck. */
export interface Timing {
  readonly stall: number;
}

/**
 * Milliseconds to wait, after the last visible progress, until something has been done with a
 * message of this size.
 */
export function patience({ stall }: Timing, size: number): number {
  return stall + (size * 1_000) / SLOWEST;
}

/**
 * Milliseconds that a relay may need in all to take that many bytes, even if it makes a little
 * progress now and then.
 */
export function grace({ stall }: Timing, taken: number): number {
  return stall + (taken * 1_000) / TRICKLE;
}

/**
 * Milliseconds within which a message of this size must have arrived as a whole. More than `grace`,
 * because the sender may itself have to wait for the message.
 */
export function longestTransfer({ stall }: Timing, size: number): number {
  return 10 * stall + (size * 1_000) / TRICKLE;
}

/** Bytes per second of the slowest relay that is waited for while its work can't be seen. */
const SLOWEST = 1024 * 1024;
/** Bytes per second of the slowest transfer that is not given up. */
const TRICKLE = 64 * 1024;
