// The exit codes of the command.

import { TransportError } from '@trunkline/transport-core';
import { ERROR_CODES } from '@trunkline/transport-core/backend';
import { systemErrorCode } from '@trunkline/transport-core/node';

/** The exit code of a command that has done its work. */
export const OK = 0;
/**
 * The command worked, and its answer is no: a comparison found breaking changes, or a service does
 * not take calls.
 */
export const NO = 1;
/** The arguments are wrong. */
export const USAGE = 2;
/** The user has interrupted the command: 128 plus the number of SIGINT, as shells do. */
export const INTERRUPTED = 130;
/** The reader of the output has closed it: 128 plus the number of SIGPIPE, as shells do. */
export const CLOSED = 141;
/**
 * Exit codes of errors are this number plus the number of the error's code: `not_found` (5) gives
 * 15.
 */
const FIRST_ERROR = 10;

/** All exit codes with their meanings, in Markdown. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [OK, 'done'],
  [
    NO,
    'the answer is no: `schema diff` found breaking changes, or `health` found a node or service that takes no calls',
  ],
  [USAGE, 'the arguments, the environment, a context, a file or the fields of a request are wrong'],
  [11, 'cancelled: the node has canceled the call'],
  [12, 'unknown: an error without a code, in a handler or on this machine'],
  [13, 'invalid argument: the node refuses the values of a request'],
  [14, 'deadline exceeded: the answer took longer than `--timeout`'],
  [15, 'not found: a file, context, protocol, method or connection that you named does not exist'],
  [16, 'already exists: a file that is never replaced, such as a key'],
  [17, 'permission denied: the node or the file system refuses access'],
  [18, 'resource exhausted: a limit or quota of the node, or no room on the disk'],
  [
    19,
    'failed precondition: wrong network or version, a key that another process uses, or `@trunkline/cli` is not installed',
  ],
  [20, 'aborted: a conflict with another call'],
  [21, 'out of range'],
  [22, 'unimplemented: the node does not serve the protocol that the command needs'],
  [23, 'internal: an error in the program of the node'],
  [24, 'unavailable: the node cannot be reached, or it drains'],
  [25, 'data loss'],
  [26, 'unauthenticated: a certificate was not accepted'],
  [INTERRUPTED, 'interrupted with Ctrl-C'],
  [CLOSED, 'the reader of the output has closed it, as `head` does'],
];

/** A mistake on the command line. */
export class UsageError extends Error {}

/** Returns the exit code for an error: 2 if the arguments are wrong, otherwise 11 to 26. */
export function exitCodeOf(error: unknown): number {
  if (isUsageError(error)) return USAGE;
  return FIRST_ERROR + ERROR_CODES[error instanceof TransportError ? error.code : 'unknown'];
}

/** Returns true if an error was found here, in what the user gave. */
function isUsageError(error: unknown): boolean {
  if (!(error instanceof TransportError)) return error instanceof UsageError;
  return error.code === 'invalid_argument' && error.origin === 'local';
}

/** Calls a function whose TypeErrors are about values that the user gave. */
export function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}

/** Returns the exit code of a command that ended early; undefined if its output failed. */
export function exitCodeOfEnd(reason: unknown): number | undefined {
  const code = systemErrorCode(reason);
  return code === 'EPIPE' ? CLOSED : code === undefined ? INTERRUPTED : undefined;
}
