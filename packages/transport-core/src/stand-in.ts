// What a simulation puts in place of the machine's randomness and time of day, so that code that asks the machine for them replays.

/** Answers in place of the machine. */
export interface SystemStandIn {
  /** In [0, 1), for `systemRandom`. */
  random(): number;
  /** Milliseconds since 1970, for `systemWall`. */
  wall(): number;
}

/** Undefined: the machine answers itself. */
export let standIn: SystemStandIn | undefined;

/** Puts a stand-in in place of the machine for everything in this thread; undefined ends that. For simulations only: it makes keys guessable. */
export function replaceSystem(next: SystemStandIn | undefined): void {
  standIn = next;
}
