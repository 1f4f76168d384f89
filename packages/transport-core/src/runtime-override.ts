// Lets a simulation replace the machine's randomness and time of day, and forbid its clock, so that
// every run can be replayed. Only the event loop of the package simulation calls `replaceSystem`:
// it sets the override while code of the simulation runs (simulation/src/reality.test.ts). Files in
// node/ must not import this one (scripts/lint/layers.grit): the entry /node is bundled on its own
// and would get a copy of the override, which `replaceSystem` does not set.

/** The replacement for the machine's randomness and time of day; it forbids the machine's clock. */
export interface RuntimeOverride {
  /** Returns a number in [0, 1), for `systemRandom`. */
  random(): number;
  /** Returns the number of milliseconds since 1970, for `systemWall`. */
  wall(): number;
  /**
   * Called at each use of `systemClock` except `clearTimeout` and `ref`, with the name of the
   * method (`setTimeout` for `sleep`); throws an error.
   */
  refuse(method: string): void;
}

/**
 * The current override; undefined if the machine's own values are used. While it is set,
 * `freeChunk` frees nothing, either.
 */
export let override: RuntimeOverride | undefined;

/**
 * Replaces the machine's randomness and time of day for all code in this thread, and forbids its
 * clock; undefined restores them. For simulations only, because it makes keys guessable.
 */
export function replaceSystem(next: RuntimeOverride | undefined): void {
  override = next;
}
