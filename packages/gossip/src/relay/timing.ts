// Time limits for relays.

/** Milliseconds without progress after which a transfer counts as stuck. */
export interface Timing {
  readonly stall: number;
}

/**
 * Returns the time, in milliseconds after the last visible progress, to wait for invisible work on
 * a message of this size.
 */
export function patience({ stall }: Timing, size: number): number {
  return stall + (size * 1_000) / SLOWEST;
}

/**
 * Returns the total time, in milliseconds, that a relay may take to accept that many bytes, even if
 * it makes a little progress from time to time.
 */
export function grace({ stall }: Timing, taken: number): number {
  return stall + (taken * 1_000) / TRICKLE;
}

/**
 * Returns the milliseconds within which a whole message of this size must arrive. The time is
 * longer than `grace`, because the sender may itself have to wait for the message.
 */
export function longestTransfer({ stall }: Timing, size: number): number {
  return 10 * stall + (size * 1_000) / TRICKLE;
}

/** Assumed rate, in bytes per second, at which the slowest relay does its invisible work. */
const SLOWEST = 1024 * 1024;
/** Minimum rate, in bytes per second, below which a transfer is given up. */
const TRICKLE = 64 * 1024;
