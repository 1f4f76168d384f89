// The exit codes of the command.

import { TransportError } from '@trunkline/transport-core';
import { ERROR_CODES } from '@trunkline/transport-core/backend';

/** The exit code of a command that has done its work. */
export const OK = 0;
/**
 * The command worked, and its answer is no: a comparison found breaking changes, or a service does
 * not take calls.
 */
export const NO = 1;
/** The command line is wrong. */
export const USAGE = 2;
/** The user has interrupted the command: 128 plus the number of SIGINT, as shells do. */
export const INTERRUPTED = 130;
/**
 * Exit codes of errors are this number plus the number of the error's code: `not_found` (5) gives
 * 15.
 */
export const FIRST_ERROR = 10;

/** A mistake on the command line. */
export class UsageError extends Error {}

/** Returns the exit code for an error: 11 to 26 by its code, 12 for an unknown error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return USAGE;
  return FIRST_ERROR + ERROR_CODES[error instanceof TransportError ? error.code : 'unknown'];
}
