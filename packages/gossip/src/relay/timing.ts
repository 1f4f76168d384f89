// How long relays are waited for.

/** Milliseconds without progress after which somebody is taken for stuck. */
export interface Timing {
  readonly stall: number;
}

/** For what is done with a message of this size: so long at most after the last progress that could be seen. */
export function patience({ stall }: Timing, size: number): number {
  return stall + (size * 1_000) / SLOWEST;
}

/** Who has taken so many bytes is waited for so long in all, though it goes on a little now and then. */
export function grace({ stall }: Timing, taken: number): number {
  return stall + (taken * 1_000) / TRICKLE;
}

/** For a message of this size to be here as a whole: so long at most after it began. More than `grace`: who sends it may wait for it itself. */
export function longestTransfer({ stall }: Timing, size: number): number {
  return 10 * stall + (size * 1_000) / TRICKLE;
}

/** Bytes a second: slower relays, that let nobody see that they are at work, are not waited for. */
const SLOWEST = 1024 * 1024;
/** Bytes a second: what goes more slowly is given up. */
const TRICKLE = 64 * 1024;
