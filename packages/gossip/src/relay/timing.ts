// How long relays are waited for.

/** Milliseconds without progress after which somebody is taken for stuck. */
export interface Timing {
  readonly stall: number;
}

/** For what is done with a message of this size: so long at most after the last progress that could be seen. */
export function patience({ stall }: Timing, size: number): number {
  return stall + (size * 1_000) / SLOWEST;
}

/** For a message of this size to be here as a whole: so long at most after it began. */
export function longestTransfer({ stall }: Timing, size: number): number {
  return 10 * stall + (size * 1_000) / TRICKLE;
}

/** Bytes a second: slower relays, that let nobody see that they are at work, are not waited for. */
const SLOWEST = 1024 * 1024;
/** Bytes a second: what comes more slowly is refused. */
const TRICKLE = 64 * 1024;
