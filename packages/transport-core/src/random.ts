// Randomness as a parameter: code that needs random numbers receives a Random, so that a seed can
// replay it. (Code that calls `systemRandom` gets its numbers from the seed of a simulation, too.)

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Bytes } from './text.ts';

/** Returns the next random number in [0, 1) on each call. */
export type Random = () => number;

/**
 * Creates a Random that returns the same numbers for the same seed (an integer, of which 32 bits
 * count) on every machine. It uses xoroshiro128+. Other numbers would change every recorded
 * simulation.
 */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(mix(seed | 0));
  for (let i = 0; i < WARM_UP; i++) generator.next();
  return () => (generator.next() >>> 0) / 0x1_0000_0000;
}

/**
 * Returns `length` random bytes. It draws one number for each byte; another count would change
 * recorded simulations.
 */
export function randomBytes(random: Random, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}

/**
 * Mixes the bits of a seed (the finalizer of MurmurHash3). Without it, neighboring seeds begin with
 * nearly the same numbers.
 */
function mix(seed: number): number {
  const a = Math.imul(seed ^ (seed >>> 16), 0x85eb_ca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2_ae35);
  return b ^ (b >>> 16);
}

/**
 * The number of values to discard at the start: half of the generator's state begins the same for
 * every seed, and this shows in the first values.
 */
const WARM_UP = 32;
