// Helpers that decode bytes with a new decoder, to plain data.

import { FrameDecoder, type FrameViolation } from '../decoder.ts';
import type { Frame } from '../frame.ts';
import { bytesOf, framed, type PlainFrame, plainFrame } from './proto.ts';

/** Decodes chunks with a new decoder. */
export function read(
  chunks: readonly Uint8Array[],
  maxLength = MAX,
): { frames: PlainFrame[]; violation: FrameViolation | undefined; partial: number } {
  const decoder = new FrameDecoder({ maxLength, allocate });
  const frames: PlainFrame[] = [];
  const visitor = { frame: (frame: Frame) => frames.push(plainFrame(frame)) > 0 };
  let violation: FrameViolation | undefined;
  for (const chunk of chunks) violation ??= decoder.read(chunk, visitor);
  return { frames, violation, partial: decoder.partial };
}

/**
 * Returns the error for a frame with these bytes (in hex, without its length); undefined if it is
 * accepted.
 */
export function refused(digits: string): string | undefined {
  const { frames, violation } = read([framed(bytesOf(digits))]);
  return frames.length === 0 && violation?.reason === 'malformed' ? violation.message : undefined;
}

/**
 * Returns the single frame with these bytes (in hex, without its length); undefined if it is
 * refused.
 */
export function accepted(digits: string): PlainFrame | undefined {
  const { frames, violation } = read([framed(bytesOf(digits))]);
  return violation === undefined && frames.length === 1 ? frames[0] : undefined;
}

export const allocate = (size: number) => new Uint8Array(size);

/** Maximum length of a frame for packets of 64 KiB, in bytes. */
export const MAX = 80 * 1024;
