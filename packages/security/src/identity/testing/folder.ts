// Temporary folders for tests, and the errors of files in them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';

/** Creates an empty folder, which is removed after the test. */
export async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-identity-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Asserts that a promise rejects with this code and message, and returns the error. */
export async function fails(
  t: ExecutionContext,
  promise: Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<TransportError> {
  const error = await t.throwsAsync(promise, { instanceOf: TransportError, message });
  t.is(error.code, code);
  return error;
}
