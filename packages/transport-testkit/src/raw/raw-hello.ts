// A hello that any Trunkline end accepts, for raw peers to modify.

import type { RawHello, RawLimits } from './raw-frames.ts';

/** The default limits of docs/wire-protocol.md §3. */
export const RAW_LIMITS: RawLimits = {
  message: 64 * 1024 * 1024,
  item: 1024 * 1024,
  packet: 64 * 1024,
  pipe: 256 * 1024,
  inbox: 8 * 1024 * 1024,
  stream: 256 * 1024,
  calls: 4_096,
  streams: 128,
};

let made = 0;

/**
 * Returns a complete hello with wire version 1, the network 'default', a unique instance, and the
 * protocol 'lab' on channel 0x20.
 */
export function rawHello(changes: Partial<RawHello> = {}): Partial<RawHello> {
  made += 1;
  const instance = new Uint8Array(16).fill(0xee);
  new DataView(instance.buffer).setUint32(0, made);
  return {
    wireMin: 1,
    wireMax: 1,
    instance,
    network: 'default',
    agent: 'raw',
    protocols: [{ name: 'lab', version: 1, accepts: [], channel: 0x20 }],
    ...changes,
    limits: { ...RAW_LIMITS, ...changes.limits },
  };
}
