// Options that keys, certificates and authorities share.

import { optional, type Random, reference } from '@trunkline/transport-core';
import type { WallClock } from './wall-clock.ts';

/** What tells the date. */
export const wallClock = () =>
  optional(reference<WallClock>((value) => typeof (value as WallClock | null)?.date === 'function', "an object with date(), which core's Clock has not"));

/** What numbers are drawn from. */
export const source = () => optional(reference<Random>((value) => typeof value === 'function', 'a function that gives numbers from 0 up to 1'));
