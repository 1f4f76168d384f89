// biome-ignore-all lint/style/noRestrictedGlobals: this is the clock of certificates; all other files get it as an argument
// The time of day, which certificates are dated by. (Core's Clock can't tell it: it counts from an origin of its own.)

import { systemWall } from '@trunkline/transport-core';

/** A moment in the calendar: JavaScript's Date. */
export type WallTime = Date;

/** Something that knows the date. */
export interface WallClock {
  /** Now. */
  date(): WallTime;
}

/** The machine's own; inside a simulation, the simulated machine's. */
export const systemWallClock: WallClock = Object.freeze({ date: () => new Date(systemWall()) });

/** The moment so many milliseconds after the beginning of 1970, UTC. */
export function wallTime(milliseconds: number): WallTime {
  return new Date(milliseconds);
}

/** '2030-01-31T12:00:00.000Z' */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
