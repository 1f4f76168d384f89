// A message as the processes exchange it: when it was published, its number, and what fills it up.

import { commonNow } from './common-clock.ts';

export interface Stamp {
  readonly sequence: number;
  /** Nanoseconds of the common clock. */
  readonly publishedAt: number;
}

/** Bytes of the time and the number. */
export const LEAST_SIZE = 16;

/** A new message, published now. @param size bytes, `LEAST_SIZE` or more. */
export function writeMessage(sequence: number, size: number): Uint8Array {
  const message = new Uint8Array(size);
  const view = new DataView(message.buffer);
  view.setFloat64(0, commonNow());
  view.setFloat64(8, sequence);
  return message;
}

export function readMessage(message: Uint8Array): Stamp {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return { publishedAt: view.getFloat64(0), sequence: view.getFloat64(8) };
}
