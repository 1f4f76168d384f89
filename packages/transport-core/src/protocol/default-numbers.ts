// The numbers that protocols and methods get from their names. They are the same at every node.

/**
 * Returns the id of a method without an explicit one: 256 plus FNV-1a (32 bits) of the name's
 * UTF-8, modulo 2^28 − 256. Such an id takes at most four bytes in a frame. A renamed method keeps
 * its id with `id: methodId('oldName')`.
 */
export function methodId(name: string): number {
  return 0x100 + (hashOf(name) % 0xfff_ff00);
}

/**
 * Returns the channel of a protocol without an explicit one, from 0x10 to 0xff: 0x10 plus FNV-1a
 * (32 bits) of the name's UTF-8, modulo 240.
 */
export function channelOf(name: string): number {
  return 0x10 + (hashOf(name) % 240);
}

function hashOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
