// Decodes and parses bytes that may be broken.

import { TransportError } from '@trunkline/transport-core';

/** The value that was loaded, and the problems that were found. */
export interface Loaded<T> {
  value: T | undefined;
  warnings: TransportError[];
}

/**
 * Decodes and parses a text. Throws a TransportError with code `data_loss`, naming the location and
 * the reader's error.
 */
export function readText<T>(bytes: Uint8Array, read: (text: string) => T, name: string): T {
  try {
    return read(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new TransportError('data_loss', `address book: ${name}: it is broken: ${problem}`, {
      target: name,
      cause: error,
    });
  }
}

/** Returns the same error with a note on what was done about it. */
export function withRemedy(error: TransportError, remedy: string): TransportError {
  return new TransportError(error.code, `${error.message}; ${remedy}`, {
    target: error.target,
    cause: error.cause,
  });
}
