// Random numbers of a simulation: one seed, and an independent generator for each node and each
// link.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { exp, log } from './portable-math.ts';
import { checksum } from './trace.ts';

/**
 * Returns the random generator of one part, named by labels. Its numbers depend only on the seed
 * and the labels, so adding or removing a node changes nothing for the others.
 */
export function childRandom(seed: number, ...labels: readonly (string | number)[]): Random {
  return seededRandom(checksum(encoder.encode([seed, ...labels].join('\n'))));
}

/**
 * A duration in milliseconds: a fixed number, `[least, most]` for a uniform distribution, or a
 * distribution of the given shape. An exponential delay is added to `least`, with `exponential` as
 * its mean. A lognormal delay is given by its median and the standard deviation of its logarithm
 * (0.5 is a calm network, 1 a rough one). Both are bounded by `least` (default 0) and `most`
 * (default none).
 */
export type DelayDistribution =
  | number
  | readonly [least: number, most: number]
  | {
      readonly exponential: number;
      readonly least?: number | undefined;
      readonly most?: number | undefined;
    }
  | {
      readonly lognormal: number;
      readonly sigma: number;
      readonly least?: number | undefined;
      readonly most?: number | undefined;
    };

/** Draws a delay in milliseconds. The arithmetic gives the same bits on every platform. */
export function draw(delay: DelayDistribution, random: Random): number {
  if (typeof delay === 'number') return delay;
  if (isRange(delay)) return delay[0] + (delay[1] - delay[0]) * random();
  const { least = 0, most = Number.POSITIVE_INFINITY } = delay;
  if ('exponential' in delay) return Math.min(most, least - delay.exponential * log(1 - random()));
  return Math.min(most, Math.max(least, delay.lognormal * exp(delay.sigma * normal(random))));
}

/** Returns whether a value is a valid DelayDistribution, for checks of options. */
export function isDelay(value: unknown): value is DelayDistribution {
  const fit = (number: unknown) =>
    typeof number === 'number' && number >= 0 && number < Number.POSITIVE_INFINITY;
  if (typeof value !== 'object' || value === null) return fit(value);
  if (Array.isArray(value))
    return value.length === 2 && fit(value[0]) && fit(value[1]) && value[0] <= value[1];
  const {
    exponential,
    lognormal,
    sigma,
    least = 0,
    most = 0,
    ...rest
  } = value as Record<string, unknown>;
  if (Object.keys(rest).length > 0 || !fit(least) || !(typeof most === 'number' && most >= 0))
    return false;
  if ((least as number) > ((value as { most?: number }).most ?? Number.POSITIVE_INFINITY))
    return false;
  return lognormal === undefined
    ? fit(exponential) && sigma === undefined
    : exponential === undefined && fit(lognormal) && fit(sigma);
}

/** Draws a normal deviate by Marsaglia's polar method (1964), which needs no sine. */
function normal(random: Random): number {
  for (;;) {
    const x = 2 * random() - 1;
    const y = 2 * random() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * log(square)) / square);
  }
}

/** Picks a random element of a non-empty list. */
export function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)]!;
}

/** Returns the elements in random order (Fisher and Yates). */
export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** Returns true for a uniform distribution. */
export function isRange(delay: DelayDistribution): delay is readonly [number, number] {
  return Array.isArray(delay);
}

const encoder = new TextEncoder();
