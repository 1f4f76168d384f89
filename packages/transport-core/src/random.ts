// Chance as a value: whatever draws gets a Random, so that a seed replays it.

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A number in [0, 1), another at each call. */
export type Random = () => number;

/** A Random that gives the same numbers for the same seed (an integer), on every machine: xoroshiro128+. */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(mix(seed | 0));
  for (let i = 0; i < WARM_UP; i++) generator.next();
  return () => (generator.next() >>> 0) / 0x1_0000_0000;
}

/** `length` random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}

/** Spreads a seed over all its bits (the finaliser of MurmurHash3): unmixed, neighbouring seeds begin with nearly the same numbers. */
function mix(seed: number): number {
  const a = Math.imul(seed ^ (seed >>> 16), 0x85eb_ca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2_ae35);
  return b ^ (b >>> 16);
}

/** The generator fills half of its state with ones; after so many draws that no longer shows. */
const WARM_UP = 32;
