// Bytes that somebody may have broken, as text that its reader understands.

import { TransportError } from '@trunkline/transport-core';

/** What was found, and what was wrong with it. */
export interface Loaded<T> {
  value: T | undefined;
  warnings: TransportError[];
}

/** Throws a TransportError of code `data_loss`, naming where it was found and what the reader said. */
export function readText<T>(bytes: Uint8Array, read: (text: string) => T, name: string): T {
  try {
    return read(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new TransportError('data_loss', `address book: ${name}: it is broken: ${problem}`, { target: name, cause: error });
  }
}

/** The same failure with what was done about it. */
export function withRemedy(error: TransportError, remedy: string): TransportError {
  return new TransportError(error.code, `${error.message}; ${remedy}`, { target: error.target, cause: error.cause });
}
