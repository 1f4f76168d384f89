// The default channel of a protocol.

/**
 * Returns a channel from 0x10 to 0xff: 0x10 plus FNV-1a (32 bits) of the name's UTF-8, modulo 240.
 * It is the same at every node.
 */
export function channelOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return 0x10 + ((hash >>> 0) % 240);
}
