// Checks that a failure is one typed error, with everything that the error table promises.

import { type ErrorCode, type ErrorReason, TransportError } from '@trunkline/transport-core';
import type { TestContext } from '../test-runner.ts';

/** The required properties of an error; omitted ones are not checked. */
export interface ExpectedError {
  readonly code: ErrorCode;
  readonly reason?: ErrorReason | undefined;
  readonly sent?: boolean | undefined;
  readonly unreachable?: boolean | undefined;
  readonly origin?: 'local' | 'remote';
  readonly message?: RegExp;
}

/**
 * Awaits the rejection and checks the error. An explicit `undefined` for `reason`, `sent` or
 * `unreachable` requires that the error lacks that property.
 */
export async function rejected(
  t: TestContext,
  promise: PromiseLike<unknown>,
  expected: ExpectedError,
): Promise<TransportError> {
  return checked(t, await caught(t, promise), expected);
}

/** A variant of `rejected` for a function that throws synchronously. */
export function thrown(
  t: TestContext,
  run: () => unknown,
  expected: ExpectedError,
): TransportError {
  try {
    run();
  } catch (error) {
    return checked(t, error, expected);
  }
  throw failed(t, `nothing was thrown where ${expected.code} was expected`);
}

/** Checks that an error is a TransportError with the expected properties. */
export function checked(t: TestContext, error: unknown, expected: ExpectedError): TransportError {
  if (!(error instanceof TransportError))
    throw failed(t, `expected a TransportError ${expected.code}, got ${show(error)}`);
  t.is(error.code, expected.code, `code of: ${show(error)}`);
  if ('reason' in expected) t.is(error.reason, expected.reason, `reason of: ${show(error)}`);
  if ('sent' in expected) t.is(error.sent, expected.sent, `sent of: ${show(error)}`);
  if ('unreachable' in expected)
    t.is(error.unreachable, expected.unreachable, `unreachable of: ${show(error)}`);
  if (expected.origin !== undefined)
    t.is(error.origin, expected.origin, `origin of: ${show(error)}`);
  if (expected.message !== undefined) t.regex(error.message, expected.message);
  return error;
}

/** Awaits a rejection with a TypeError, which signals misuse by the programmer. */
export async function misused(t: TestContext, promise: PromiseLike<unknown>): Promise<TypeError> {
  const error = await caught(t, promise);
  if (!(error instanceof TypeError)) throw failed(t, `expected a TypeError, got ${show(error)}`);
  return error;
}

/** Returns the error that a promise rejects with. */
export async function caught(t: TestContext, promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw failed(t, `expected a rejection, but it resolved to ${show(value)}`);
}

function failed(t: TestContext, message: string): Error {
  t.fail(message);
  return new Error(message);
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (!(value instanceof Error)) return String(value).slice(0, 200);
  const { code, reason, sent } = value as Partial<TransportError>;
  return `${value.name} ${code ?? ''}/${reason ?? '-'} sent ${String(sent)}: ${value.message}`;
}
