// Frames and bodies that the cases send, and a protocol that some of them mount.

import { bytes, defineProtocol } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import type { RawFrameInput } from '@trunkline/transport-testkit/internal';

/** A protocol whose messages keep their order. */
export const lineProtocol = defineProtocol({
  name: 'line',
  version: 1,
  channel: 0x23,
  ordered: true,
  methods: { hint: { id: 1, request: bytes } },
});

export const KiB = 1024;
export const MiB = 1024 * 1024;
/** The default size of a packet. */
export const PACKET = 64 * KiB;

/** Returns a REQUEST to `echo` on the channel of the suite, with changes. */
export function request(
  id: number,
  payload: Uint8Array | readonly number[] = [1],
  changes: Partial<RawFrameInput> = {},
): RawFrameInput {
  return {
    kind: 'REQUEST',
    id,
    channel: 0x20,
    method: 1,
    payload: Uint8Array.from(payload),
    ...changes,
  };
}

/** Returns a short ONEWAY to `hint`, with changes. */
export function hint(
  payload: Uint8Array | readonly number[] = [1],
  changes: Partial<RawFrameInput> = {},
): RawFrameInput {
  return {
    kind: 'ONEWAY',
    channel: 0x20,
    method: 2,
    payload: Uint8Array.from(payload),
    ...changes,
  };
}

/** Returns `length` bytes, each different from its neighbors. */
export function body(length: number, seed = 0): Bytes {
  const made = new Uint8Array(length);
  for (let i = 0; i < length; i++) made[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff;
  return made;
}

/**
 * Returns the packets of a long message: `first` with the size of the whole message, followed by
 * PARTs.
 */
export function packets(first: RawFrameInput, whole: Uint8Array, packet = PACKET): RawFrameInput[] {
  const frames: RawFrameInput[] = [
    { ...first, size: whole.length, payload: whole.slice(0, packet) },
  ];
  for (let at = packet; at < whole.length; at += packet)
    frames.push({ kind: 'PART', id: first.id ?? 0, payload: whole.slice(at, at + packet) });
  return frames;
}

/** Returns true if the bytes are equal; for bodies too large for a runner's deepEqual. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Encodes a small number as a body, to distinguish calls. */
export function tag(number: number): Bytes {
  return Uint8Array.from([number >> 8, number & 0xff]);
}

export function untag(payload: Uint8Array): number {
  return ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
}

/** Returns 64 MiB, the default maximum of a message; all cases share these bytes. */
export function huge(): Uint8Array {
  hugeBody ??= body(64 * MiB);
  return hugeBody;
}

let hugeBody: Uint8Array | undefined;
