// What a codec may answer to bytes that it does not take.

import { TransportError } from '../../errors.ts';

/**
 * Is it an error that a codec documents, with a text that says what is wrong, and not too much of
 * it?
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof TransportError) || (error.code !== 'invalid_argument' && error.code !== 'resource_exhausted')) return false;
  if (error.message === '' || error.message.length > 2_000) throw new Error(`a refusal of ${error.message.length} characters`);
  return true;
}
