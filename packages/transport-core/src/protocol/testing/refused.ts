// Recognizes the errors with which a codec may refuse bytes.

import { TransportError } from '../../errors.ts';

/**
 * Returns true for an error that codecs document. Throws if its message is empty or longer than
 * 2,000 characters.
 */
export function isRefusal(error: unknown): boolean {
  if (
    !(error instanceof TransportError) ||
    (error.code !== 'invalid_argument' && error.code !== 'resource_exhausted')
  )
    return false;
  if (error.message === '' || error.message.length > 2_000)
    throw new Error(`a refusal of ${error.message.length} characters`);
  return true;
}

/** Returns the error with which `run` refuses. */
export function refusalOf(run: () => unknown): TransportError {
  try {
    run();
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Returns the code, the reason and the message with which `run` refuses, as one text. */
export function toldBy(run: () => unknown): string {
  const { code, reason, message } = refusalOf(run);
  return `${code}, ${reason}: ${message}`;
}

/** Returns the message of the TypeError that `run` throws; 'accepted' if it throws nothing. */
export function misuseOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  return 'accepted';
}
