// Names of places within this process, and their addresses: 'inmem://name'.

import { type Random, TransportError } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';

export const SCHEME = 'inmem://';

/**
 * Returns the name in an address: 'inmem://name' or 'name', with 1 to 255 characters other than
 * white space and '/?#@'. Throws `invalid_argument` for any other text.
 */
export function nameOf(address: string): string {
  const name = /^(?:inmem:\/\/)?([^\s/?#@]{1,255})$/i.exec(address)?.[1];
  if (name !== undefined) return name;
  throw new TransportError(
    'invalid_argument',
    `'${address}' is not an address in memory; write 'inmem://name'`,
    { target: address },
  );
}

/**
 * Returns the name in the address that a layer is to listen on; a random one for undefined and for
 * 'inmem://'. Throws `invalid_argument` as `nameOf` does.
 */
export function nameFor(address: string | undefined, random: Random): string {
  return address === undefined || address === SCHEME ? randomName(random) : nameOf(address);
}

/** Returns 128 random bits as a UUID of version 4. */
function randomName(random: Random): string {
  const bytes = randomBytes(random, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
