// Finds the CANCEL frames of a chunk without decoding the other frames.

import { type Frame, Kind } from './frame.ts';

/**
 * Returns the ids of the CANCEL frames in a chunk, if they are written as Trunkline's encoder
 * writes them: the kind first, then the id. Returns undefined if there are none.
 * @param from where a frame begins.
 */
export function cancelsIn(chunk: Uint8Array, from: number): Set<number> | undefined {
  let ids: Set<number> | undefined;
  const last = chunk.length - LENGTH - 1;
  for (let at = from; at <= last; ) {
    let length = chunk[at++]!;
    for (let shift = 7; length >> shift > 0 && shift < 28; shift += 7)
      length = (length & ((1 << shift) - 1)) | (chunk[at++]! << shift);
    if (
      length === LENGTH &&
      chunk[at + 1] === Kind.CANCEL &&
      chunk[at] === KIND &&
      chunk[at + 2] === ID
    ) {
      const low = chunk[at + 3]! | (chunk[at + 4]! << 8) | (chunk[at + 5]! << 16);
      ids = (ids ?? new Set()).add((low | (chunk[at + 6]! << 24)) >>> 0);
    }
    at += length;
  }
  return ids;
}

/** Returns the ids of the CANCELs among these frames, from `from` on; undefined if there are none. */
export function cancelsAmong(frames: readonly Frame[], from: number): Set<number> | undefined {
  let ids: Set<number> | undefined;
  for (let at = from; at < frames.length; at++) {
    const frame = frames[at]!;
    if (frame.kind === Kind.CANCEL) ids = (ids ?? new Set()).add(frame.id);
  }
  return ids;
}

/** Field number and wire type in one byte, as frame.proto numbers them. */
const KIND = 0x08;
const ID = 0x15;
/** The length of a CANCEL. */
const LENGTH = 7;
