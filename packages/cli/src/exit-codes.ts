// The exit codes of the command.

import { CODES, TransportError } from '@trunkline/transport-core';

/** The exit code of a command that has done its work. */
export const OK = 0;
/**
 * The answer of the command is no: a comparison found breaking changes, or a service does not
 * serve.
 */
export const NO = 1;
/** The command line is wrong. */
export const USAGE = 2;
/** The user has interrupted the command: 128 plus the number of SIGINT, as shells do. */
export const INTERRUPTED = 130;
/** Added to the number of an error's code: `not_found`, which is 5, becomes 15. */
export const FIRST_ERROR = 10;

/** A mistake on the command line. */
export class UsageError extends Error {}

/** Returns the exit code for an error: 11 to 26 by its code, 12 for an unknown error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return USAGE;
  return FIRST_ERROR + CODES[error instanceof TransportError ? error.code : 'unknown'];
}
