// The message that the processes exchange: the time of publishing, the number, and padding.

import { commonNow } from './common-clock.ts';

export interface Stamp {
  readonly sequence: number;
  /** Nanoseconds of the common clock. */
  readonly publishedAt: number;
}

/** The bytes that the time and the number take. */
export const LEAST_SIZE = 16;

/** Makes a message, published now. @param size in bytes, at least `LEAST_SIZE`. */
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
