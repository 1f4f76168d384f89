// Functions that interpret the error of a call: they find out whether the server is at fault,
// whether it was reached, and how long it asks callers to wait.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import { resilienceMetadata } from './resilience-metadata.ts';

/**
 * Returns true if an error counts against the server: it could not be reached, was too slow or
 * overloaded, or failed by itself. Errors that depend on the request or on this end do not count.
 * An error that is not a TransportError counts.
 */
export function isServerFailure(error: unknown): boolean {
  if (!(error instanceof TransportError) || isTimedOut(error)) return true;
  if (error.unreachable !== undefined) return error.unreachable;
  const { code, origin, sent } = error;
  if (code === 'resource_exhausted' && origin === 'local' && sent === false) return false;
  // A caller that cancels does not wait for the server's answer, so the server failed by itself.
  return SERVER_FAILURES.has(code) || (code === 'cancelled' && origin === 'remote');
}

/**
 * The reason with which an attempt that takes too long is canceled, while its call continues. Core
 * makes the reason of an abort the `cause` of its error, by which `isTimedOut` finds it.
 */
export class AttemptTimeout extends Error {}

/**
 * Returns true if an attempt took too long: its deadline passed, or it was canceled for that
 * reason.
 */
export function isTimedOut(error: unknown): boolean {
  return (
    error instanceof TransportError &&
    (error.code === 'deadline_exceeded' || error.cause instanceof AttemptTimeout)
  );
}

/** Returns true if a call has ended because its caller canceled it or closed the transport. */
export function isCallersEnd(error: unknown): boolean {
  return (
    error instanceof TransportError &&
    error.origin === 'local' &&
    (error.code === 'cancelled' || error.code === 'shutdown') &&
    !isTimedOut(error)
  );
}

/**
 * Returns true if the server could not be reached or takes no calls, so that no handler saw the
 * call, and another server may take it.
 */
export function isUnreachable(error: unknown): error is TransportError {
  return (
    error instanceof TransportError &&
    (error.unreachable ?? (error.code === 'unavailable' && error.sent === false))
  );
}

/** Returns true if this end is the reason why no connection came up. */
export function isOwnFailure(error: unknown): boolean {
  return error instanceof TransportError && error.unreachable === false;
}

/**
 * Returns the reason why an address refuses every connection, such as another network; undefined if
 * it may accept the next one.
 */
export function refusalOf(error: unknown): string | undefined {
  if (!isUnreachable(error) || PASSING.has(error.code)) return undefined;
  return `${error.code} ${error.reason}`;
}

/** Returns true if the connection was lost while a handler may have received the call. */
export function isLostConnection(error: unknown): boolean {
  return (
    error instanceof TransportError &&
    error.code === 'unavailable' &&
    error.sent !== false &&
    error.reason !== undefined &&
    LOST.has(error.reason)
  );
}

/**
 * Returns the number of milliseconds after which the server wants the call to be retried. The
 * number is negative if the server wants no retry or if the value is malformed, and undefined if
 * the server sent none.
 */
export function pushbackOf(error: unknown): number | undefined {
  const text =
    error instanceof TransportError
      ? error.metadata?.[resilienceMetadata.retryPushback]
      : undefined;
  if (text === undefined) return undefined;
  return /^\d{1,10}$/.test(text) ? Number(text) : -1;
}

const SERVER_FAILURES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unknown',
  'deadline_exceeded',
  'resource_exhausted',
  'internal',
  'unavailable',
  'data_loss',
]);

/** The codes of failed dials that may succeed soon. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unavailable', 'resource_exhausted']);

const LOST: ReadonlySet<string> = new Set([
  'reset',
  'ping_timeout',
  'closed',
  'disconnected',
  'malformed',
  'idle',
]);
