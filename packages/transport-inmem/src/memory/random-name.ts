// Random names for layers and transports that were given none.

import type { Random } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';

/** Returns 128 random bits as a UUID of version 4. */
export function randomName(random: Random): string {
  const bytes = randomBytes(random, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
