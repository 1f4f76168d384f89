// Chance as a value: whatever draws gets a Random, so that a seed replays it.

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A number in [0, 1), another at each call. */
export type Random = () => number;

/** A Random that gives the same numbers for the same seed (an integer), on every machine: xoroshiro128+. */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed | 0);
  return () => (generator.next() >>> 0) / 0x1_0000_0000;
}

/** `length` random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}
