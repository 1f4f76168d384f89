// The machine's own source of random numbers.

import type { Random } from './random.ts';
import { override } from './runtime-override.ts';

declare const crypto: { getRandomValues<T extends ArrayBufferView>(array: T): T };

const pool = new Uint32Array(64);
let left = 0;

/**
 * Returns random numbers from the runtime's cryptographic source, 32 bits each; instance ids are
 * made of them. In a simulation, the numbers come from its seed.
 */
export const systemRandom: Random = () => {
  if (override !== undefined) return override.random();
  if (left === 0) {
    crypto.getRandomValues(pool);
    left = pool.length;
  }
  return pool[--left]! / 0x1_0000_0000;
};
