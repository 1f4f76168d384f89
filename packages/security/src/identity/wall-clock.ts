// biome-ignore-all lint/style/noRestrictedGlobals: this is the clock of certificates; all other files get it as an argument
// The time of day, which dates certificates. (Core's Clock cannot provide it, because it counts
// from an origin of its own.)

import { systemWall } from '@trunkline/transport-core/backend';

/** A point in time, as a calendar date: JavaScript's Date. */
export type WallTime = Date;

/** A source of the current date. */
export interface WallClock {
  /** Returns the current time. */
  date(): WallTime;
}

/** The machine's clock; inside a simulation, the clock of the simulated machine. */
export const systemWallClock: WallClock = Object.freeze({ date: () => new Date(systemWall()) });

/** Returns the moment that is this many milliseconds after the start of 1970, UTC. */
export function wallTime(milliseconds: number): WallTime {
  return new Date(milliseconds);
}

/** Formats a moment as '2030-01-31T12:00:00.000Z'. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
