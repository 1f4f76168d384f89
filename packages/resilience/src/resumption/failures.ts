// The errors that end a stream for good. The metadata of each error contains its name.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';

/**
 * The reason why a stream cannot be continued:
 *
 * - 'gap' (`out_of_range`): the server no longer has the next item.
 * - 'unknown' (`not_found`): the server does not have the stream. The server was restarted, the
 *   stream was without a connection for too long, its request never arrived, or the stream belongs
 *   to another node.
 * - 'replaced' (`aborted`): another call continues the stream.
 * - 'full' (`resource_exhausted`): the server already keeps its maximum number of streams.
 * - 'unsupported' (`unimplemented`): the handler at the server is not `resumable`.
 */
export type ResumptionFailure = 'gap' | 'unknown' | 'replaced' | 'full' | 'unsupported';

/**
 * Returns the reason why a stream of `resume` cannot be continued, or undefined for any other
 * error, such as an error of the handler or of a server that cannot be reached.
 */
export function resumptionFailure(error: unknown): ResumptionFailure | undefined {
  const name = nameOf(error);
  return name !== undefined && Object.hasOwn(FAILURES, name)
    ? (name as ResumptionFailure)
    : undefined;
}

/** Creates the error of a failure. */
export function failure(name: ResumptionFailure, message: string, sent?: boolean): TransportError {
  return new TransportError(FAILURES[name], message, { sent, metadata: { [NAME]: name } });
}

/**
 * Creates the answer to a client that asks whether its stream is kept. It is an error because a
 * download has no other answer before its first item.
 */
export function keptAnswer(): TransportError {
  return new TransportError('failed_precondition', 'the stream is kept: continue it', {
    metadata: { [NAME]: KEPT },
  });
}

/** Returns true if the server has answered that it keeps the stream. */
export function isKept(error: unknown): boolean {
  return nameOf(error) === KEPT;
}

/**
 * Returns true if another attempt may succeed: the connection was lost or could not be made, or the
 * call was refused with a code of `UNSENT` before a handler saw it. An error that a handler threw
 * is final.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof TransportError)) return false;
  const { code, origin, reason, sent } = error;
  if (sent === false) return UNSENT.includes(code);
  return code === 'unavailable' && (origin === 'local' || reason !== undefined);
}

function nameOf(error: unknown): string | undefined {
  return error instanceof TransportError ? error.metadata?.[NAME] : undefined;
}

/** The key of the metadata entry in which an error carries its name. */
const NAME = 'trunkline-resumption';
const KEPT = 'kept';

const FAILURES: Readonly<Record<ResumptionFailure, ErrorCode>> = {
  gap: 'out_of_range',
  unknown: 'not_found',
  replaced: 'aborted',
  full: 'resource_exhausted',
  unsupported: 'unimplemented',
};

/** The codes of failed attempts that may succeed later, if no handler has seen them. */
const UNSENT: readonly ErrorCode[] = ['unavailable', 'resource_exhausted', 'deadline_exceeded'];
