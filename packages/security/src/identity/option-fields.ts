// Option fields that keys, certificates and authorities share.

import type { Random } from '@trunkline/transport-core';
import { option } from '@trunkline/transport-core/backend';
import type { WallClock } from './wall-clock.ts';

/** The optional source of the date. */
export const wallClock = () =>
  option.optional(
    option.reference<WallClock>(
      (value) => typeof (value as WallClock | null)?.date === 'function',
      'an object with date(), which the Clock of core does not have',
    ),
  );

/** The optional source of randomness; the numbers that it returns are not checked here. */
export const source = () =>
  option.optional(
    option.reference<Random>(
      (value) => typeof value === 'function',
      'a function that returns numbers from 0 (included) to 1 (excluded)',
    ),
  );
